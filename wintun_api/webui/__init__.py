"""The dashboard, built from web/ and committed: files only.

index.html, app.js, app.css, icon.svg  the dashboard
captures.js, compose.js, packets.js,
traffic.js, impairment.js              parts of it that are loaded when they are first shown
docs.html, docs.js                     the API docs at /docs
"""
