"""The guide: its commands run, its tables are whole, and it is shown in three places."""
