"""One faithful Amazon ECR, in memory: the ECR API and the Docker Registry v2 API over one store.

Start at `ecr.py`. It knows nothing of the emulator around it: who calls, what they may do, the clock and where events
go are passed in. What it does not do is refused by name, never answered wrongly.

It differs from AWS, knowingly, in this:

- Scans, previews and restores from the archive take a moment, rather than seconds or minutes.
- The scanner knows Debian packages and Python distributions, and the advisories of `advisories.json`; an image of which
  no layer is an archive is called clean, as is any image without a file that could be wrong.
- Enhanced scanning has no API of Amazon Inspector, knows no suppression, sends no coverage events, and names source
  packages rather than binary ones, without the layer that they are in. It looks again when it hears of an advisory
  (`enhanced.learn`), and deleting an image closes no finding.
- Repository policies are kept and shown, and let nobody in or out. IAM policies do.
- Pulled manifests are never converted to another format.
- Lifecycle policies run when they are told to, see `lifecycle.run`, and by themselves never. CloudTrail's words for
  rules that its page has no example of are made after the one that it has.
- The results of a preview can be had for a day.
- Creation templates are kept and shown; no repository is made by one.
- The time of the last pull is exact.
"""
