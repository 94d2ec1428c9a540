"""Who a study shows, so that it can be told whether two studies show the same person, and nothing else."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings

LENGTH = 32


def patient_key(patient: str) -> str:
    """Return 128 bits of HMAC-SHA-256 of what identifies a patient, hexadecimal; "" for "".

    The key is the installation's ``DEEPCAP_PATIENT_KEY_SECRET``: who does not have it cannot try out names or numbers.
    Studies that came in under another secret do not match.
    """
    if not patient:
        return ""
    secret = f"deepcap.patient\x1f{settings.DEEPCAP_PATIENT_KEY_SECRET or settings.SECRET_KEY}".encode()
    return hmac.new(secret, patient.encode(), hashlib.sha256).hexdigest()[:LENGTH]
