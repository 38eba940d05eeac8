"""Pictures of the pages: stroke only, the colour is the text's."""

from markupsafe import Markup

# 24 × 24
ICONS = {
    "home": "M4 10.5 12 4l8 6.5V20h-5.5v-5.5h-5V20H4z",
    "chat": "M4.5 5.5h15v11H11l-4.5 3.5v-3.5h-2z",
    "book": "M12 6.5C10.2 5.3 7.6 4.8 4 5v13c3.6-.2 6.2.3 8 1.5 1.8-1.2 4.4-1.7 8-1.500V5c-3.6-.2-6.2.3-8 1.500zm0 0v13",
    "gear": "M5 7h8m4 0h2M5 12h2m4 0h8M5 17h6m4 0h4M15 5v4M9 10v4m4 1v4",
    "pulse": "M3.5 12.500h4l2.5-7 4 13 2.5-6h4",
    "check": "m5.5 12.5 4.3 4.5 8.7-9.5",
    "alert": "M12 7.500v5.500m0 3.400v.1M12 3.500a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
    "cross": "m7 7 10 10M17 7 7 17",
    "clock": "M12 7.500V12l3 2M12 3.500a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
    "person": "M12 4.500a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.400zM4.8 19.500c.9-3.2 3.7-4.8 7.2-4.800s6.3 1.6 7.2 4.8",
    "spark": "M11 4.500c.6 4 2.5 5.9 6.5 6.5-4 .6-5.9 2.5-6.5 6.5-.6-4-2.5-5.9-6.5-6.5 4-.6 5.9-2.5 6.5-6.500zM18.5 16v4m-2-2h4",
    "pause": "M8.5 6v12m7-12v12",
    "play": "M8 5.500v13l10.5-6.500z",
    "phone": "M6 4.500h3.500l1.5 4-2 1.500c.9 2.2 2.8 4.1 5 5l1.5-2 4 1.500V18c0 1-.8 1.8-1.8 1.700C10.5 19.1 4.9 13.5 4.3 6.3 4.2 5.3 5 4.5 6 4.500z",
    "photo": "M4.5 6h15v12.500h-15zm0 9.5 4-4 3.5 3.5 2.5-2.5 5 4.500M15.5 9.500v.1",
    "mic": "M12 4a2.7 2.7 0 0 0-2.7 2.700v5a2.7 2.7 0 0 0 5.4 0v-5A2.7 2.7 0 0 0 12 4zm-6 7.500a6 6 0 0 0 12 0m-6 6V20",
    "copy": "M9 9h10.500v10.500H9zM5.5 15H4.500V4.500H15v1",
    "back": "m14.5 6-6 6 6 6",
    "next": "m9.5 6 6 6-6 6",
    "search": "M10.8 5a5.8 5.8 0 1 0 0 11.6 5.8 5.8 0 0 0 0-11.600zm4.4 10.200L19.5 19.5",
    "plus": "M12 5.500v13M5.5 12h13",
    "question": "M9.3 9.500a2.7 2.7 0 1 1 4.2 2.300c-.9.6-1.5 1.2-1.5 2.200m0 2.600v.1M12 3.500a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
    "unknown": "M7 4h10v16H7zm3.5 13.500h3M10.5 8.200a1.5 1.5 0 1 1 2.3 1.300c-.5.3-.8.7-.8 1.300m0 2v.1",
    "disk": "M5 5.500h14v13H5zM5 13h14m-4 2.800h1.5",
    "link": "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.700l1-1",
    "retry": "M19 12a7 7 0 1 1-2.2-5.100M19 4v4h-4",
    "stop": "M8.5 3.500h7l5 5v7l-5 5h-7l-5-5v-7zM8 12h8",
    "box": "M5 7.500h14v9.500H5zM8 17v2m8-2v2M8 12.200h.1M11.5 12.200h4.5",
}
TICKS = {
    "waiting": '<circle cx="8" cy="6" r="4.5"/><path d="M8 3.500V6l1.6 1"/>',
    "sent": '<path d="m4 6.3 3 3L13 2.5"/>',
    "delivered": '<path d="m1 6.3 3 3 6-6.800M7.4 8.100l1.2 1.2 6.2-6.8"/>',
}
TICKS["read"] = TICKS["delivered"]


def icon(name: str, small: bool = False) -> Markup:  # as templates write it
    kind = "i i-s" if small else "i"
    return Markup(f'<svg class="{kind}" viewBox="0 0 24 24" aria-hidden="true"><path d="{ICONS[name]}"/></svg>')  # noqa: S704


def ticks(state: str) -> Markup:
    """`state`: waiting, sent, delivered or read."""
    return Markup(f'<svg class="i-s" viewBox="0 0 16 12" aria-hidden="true">{TICKS[state]}</svg>')  # noqa: S704
