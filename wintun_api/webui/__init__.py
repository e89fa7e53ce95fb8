"""The dashboard, built from web/ and committed; files only."""
