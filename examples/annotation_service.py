"""The annotation service: publishes projects, has people annotate, and lets the DSV decide where they disagree.

People are missing here. Each annotator of the project judges by how bright an image is, one a little more strictly than
the next, so that they agree on most images and not on all.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from usage.dsv import majority, reason_not_exported

from .client import Claim, DeepCap, serve
from .pictures import features, write_label_csv

KIND = "annotation-projects"
STUDIES_AT_ONCE = 500
STRICTNESS = 0.02


def annotate(claim: Claim) -> None:
    """Publish, annotate, and hand in ``label.csv`` with what more than half of an image's annotators agree on."""
    project, api = claim.work, claim.api
    [asked, *more] = project["annotation_types"]
    if asked["annotation_type"] != "single_label_classification" or more:
        claim.fail("This service has people annotate single-label classification only.")
        return
    project = api.patch(claim.path, claim=claim.claim, status="in_progress")
    votes: dict[str, list[str]] = defaultdict(list)
    jobs = [job for job in api.all(f"annotation-jobs/?project={project['id']}") if job["role"] == "annotator"]
    for place, job in enumerate(jobs):
        for path, label in judge(api, job, sorted(asked["labels"]), threshold=0.3 + place * STRICTNESS):
            votes[path].append(label)
        claim.report()
    verdicts = {path: majority(said) for path, said in sorted(votes.items())}
    left_out = {
        path: reason
        for path, verdict in verdicts.items()
        if (reason := reason_not_exported(has_result=True, dsv_passed=verdict.passed))
    }
    rows = [(path, verdict.label) for path, verdict in verdicts.items() if verdict.label is not None]
    print(f"{claim.path}: {len(rows)} images agreed on, {len(left_out)} left out")
    claim.hand_in("results", filename="label.csv", data=write_label_csv(rows), file_format="csv")
    claim.finish()


def judge(api: DeepCap, job: dict, labels: list[str], *, threshold: float) -> list[tuple[str, str]]:
    """Say of each image of the job's studies whether it is brighter than ``threshold``, in words of the labels."""
    judged = []
    studies = list(api.all(f"annotation-jobs/{job['id']}/studies/"))
    for study in studies:
        for image in api.all(f"studies/{study['study']}/images/"):
            bright = float(features(api.read(image["thumbnail_url"])).mean()) > threshold
            judged.append((image["path"], labels[-1] if bright else labels[0]))
    for start in range(0, len(studies), STUDIES_AT_ONCE):
        states = [{"study": study["study"], "state": "finished"} for study in studies[start : start + STUDIES_AT_ONCE]]
        api.patch(f"annotation-jobs/{job['id']}/", studies=states)
    return judged


if __name__ == "__main__":
    sys.exit(serve(KIND, annotate))
