"""The pydantic models: what the API takes and gives. Below the API there are dataclasses.

    model      what all models share
    network    addresses, routes and DNS
    adapters  sessions  system  tokens  events   by resource
    control    what a packet socket says beside packets
    problem    an error as a document

Nothing else of the package has models.
"""
