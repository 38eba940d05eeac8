"""The phone page's words."""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Customer's phone",
    },
    "pt-BR": {
        "title": "Celular do cliente",
    },
}
