"""The browsers that reps are pushed to, as the command line reads and writes them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urldecode, b64urlencode

from schemas.device import Device, device_id
from streams.cli.failure import refused
from streams.cli.records import latest
from streams.cli.table_import import put_all
from streams.cli.writer import Outgoing, write
from streams.kafka.config import ClusterSettings

_HELP = "Save what PushSubscription.toJSON() gives: endpoint, and keys with p256dh and auth."


def vapid_keys() -> tuple[str, str]:
    """Return a new private and public key, base64url, in the raw forms that settings and browsers take."""
    pair = Vapid02()
    pair.generate_keys()
    private = pair.private_key.private_numbers().private_value.to_bytes(32, "big")
    public = pair.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return str(b64urlencode(private)), str(b64urlencode(public))


def devices_in(file: Path, rep: str) -> list[Device]:
    """Return the subscriptions in a file as devices of `rep`. Raises CommandFailed with what is wrong."""
    try:
        said = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise refused(f"{file.name} is no JSON: {error}.", _HELP) from error
    return [
        _device(one, f"{file.name}, {place + 1}", rep)
        for place, one in enumerate(said if isinstance(said, list) else [said])
    ]


def _device(said: Any, where: str, rep: str) -> Device:
    try:
        endpoint, p256dh, auth = str(said["endpoint"]), str(said["keys"]["p256dh"]), str(said["keys"]["auth"])
        is_usable = endpoint.startswith("https://") and len(b64urldecode(auth.encode())) == 16
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b64urldecode(p256dh.encode()))
    except (KeyError, TypeError, ValueError):
        is_usable = False
    if not is_usable:
        raise refused(f"{where}: this is no push subscription.", _HELP)
    return Device(rep=rep, id=device_id(endpoint), endpoint=endpoint, p256dh=p256dh, auth=auth, at=datetime.now(UTC))


def put_devices(cluster: ClusterSettings, devices: list[Device]) -> int:
    """Write the devices and return how many were acknowledged. Raises NotWritten."""
    return put_all(cluster, "devices", "device.put", lambda device: device.key, devices)


def end_device(cluster: ClusterSettings, device: Device) -> None:
    """End a subscription. Raises NotWritten."""
    write(cluster, [Outgoing(f"devices/{device.id}/end", "devices", device.key, "device.put", None)])


def devices_by_rep(cluster: ClusterSettings) -> dict[str, tuple[Device, ...]]:
    """Return rep id -> their devices."""
    found: dict[str, tuple[Device, ...]] = {}
    for row in latest(cluster, "devices").values():
        device: Device = row.model
        found[device.rep] = (*found.get(device.rep, ()), device)
    return found
