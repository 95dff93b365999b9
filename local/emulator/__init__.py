"""AWS on 127.0.0.1 around our registry: ministack, changed where it differs from AWS in what the warden relies on.

- `environment.py` what it is told before it is imported
- `principals.py`  who calls, and what their role lets them do
- `schedules.py`   EventBridge Scheduler fires a rate at creation, and fills in `<aws.scheduler.…>`
- `delivery.py`    events of `aws.ecr` to the default bus, and some of them lost on request
- `cloudformation.py` resource types of ECR that CloudFormation makes by our registry
- `containers.py`  tasks and functions pull from our registry, and nothing is run
- `failures.py`    calls that fail on request
- `controls.py`    what tests and the demo ask of the local cloud itself, under `/_warden/`
- `gateway.py`     the one port: the ECR API, the Docker Registry API, `/_warden/`, and everything else to ministack
"""
