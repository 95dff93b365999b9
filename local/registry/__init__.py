"""One faithful Amazon ECR, in memory: the ECR API and the Docker Registry v2 API over one store.

Start at `ecr.py`. It knows nothing of the emulator around it: who calls, what they may do, the clock and where events
go are passed in. What it does not do is refused by name, never answered wrongly.
"""
