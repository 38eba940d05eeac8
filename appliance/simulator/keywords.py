"""The words Twilio itself acts on in SMS (Twilio support, "Support for opt-out keywords")."""

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})
ANSWERS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def keyword(sender: str, body: str, opted_out: bool) -> str:
    """STOP, START, HELP, or nothing. START and YES count only while opted out, STOP only while not; SMS alone."""
    if ":" in sender:
        return ""
    word = body.strip().upper()
    if word in STOP and not opted_out:
        return "STOP"
    if word in START and opted_out:
        return "START"
    return "HELP" if word in HELP and not opted_out else ""
