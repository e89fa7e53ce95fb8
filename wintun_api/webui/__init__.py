"""The dashboard, built from web/ and committed: files only.

index.html, app.js, app.css, icon.svg   the dashboard
decoder.js, filter.js, ...              parts of it that its worker has too
worker.js                               the worker
captures.js, packets.js, ...            parts of it that are loaded when they are first shown
docs.html, docs.js                      the API docs at /docs
"""
