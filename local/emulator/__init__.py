"""AWS on 127.0.0.1 around our registry: ministack, changed where it differs from AWS in what the warden relies on.

- `environment.py` what it is told before it is imported
- `principals.py`  who calls, and what their role lets them do
- `schedules.py`   EventBridge Scheduler fires a rate at creation, and fills in `<aws.scheduler.…>`
- `delivery.py`    events of `aws.ecr` to the default bus, and some of them lost on request
- `gateway.py`     the one port: the ECR API, the Docker Registry API, `/_warden/`, and everything else to ministack
"""
