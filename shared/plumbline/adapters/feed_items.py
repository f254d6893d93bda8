"""The items of the live feed: its entries, who heard which event, its newest number, and the listeners."""

from pynamodb.attributes import UnicodeAttribute

from plumbline.adapters.attributes import IntegerAttribute, PackedJson
from plumbline.adapters.items import Item

EXPIRATION = "expiration"
"""DynamoDB deletes an item some time after this many seconds since 1970."""


class FeedEntry(Item):
    """One event under its number. `latest` is the latest time (ms) of all events up to it: it never falls."""

    key = UnicodeAttribute(attr_name="k")
    kind = UnicodeAttribute(attr_name="ki")
    at = IntegerAttribute(attr_name="at")
    latest = IntegerAttribute(attr_name="la")
    channel_id = UnicodeAttribute(attr_name="ci", null=True)
    content: PackedJson = PackedJson(attr_name="z")
    expiration = IntegerAttribute(attr_name=EXPIRATION)


class FeedMark(Item):
    """An event that has its number."""

    number = IntegerAttribute(attr_name="n")
    expiration = IntegerAttribute(attr_name=EXPIRATION)


class FeedHead(Item):
    """The number of the newest entry. It stays when the entries are gone: no number is ever given twice."""

    number = IntegerAttribute(attr_name="n")
    latest = IntegerAttribute(attr_name="la")


class ConnectionItem(Item):
    """One listener."""

    position = IntegerAttribute(attr_name="p")
    version = IntegerAttribute(attr_name="v")
    expires_at = IntegerAttribute(attr_name="ea")
    wants: PackedJson = PackedJson(attr_name="z")
    expiration = IntegerAttribute(attr_name=EXPIRATION)
