"""What whoever builds on Kegai reads: the events with their schemas, the AsyncAPI document, the HTTP interfaces."""
