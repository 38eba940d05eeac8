"""Answers a small business's customers on Twilio from one small box and never loses a message.

The shortest map: a message comes in through `web/hooks` and `inbox/`, is answered in `reply/` by a `responder/`, and
goes out once through `outbox/` and `twilio/`; `queue/` says when, `store/` keeps it all, `engine` and `app` put it
together. Arrows between rooms only go down. CONTRIBUTING.md has the whole map.
"""

__version__ = "0.1.0"
