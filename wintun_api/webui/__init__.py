"""The dashboard, built from web/ and committed: files only.

index.html, app.js, app.css, icon.svg  the dashboard
docs.html, docs.js                     the API docs at /docs
"""
