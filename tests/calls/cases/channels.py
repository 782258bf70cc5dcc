"""Chat channels."""

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases.case import BOT, Case, has, lacks, of, under

TELEGRAM, SLACK = sample_id("channels", "support:telegram"), sample_id("channels", "support:slack")
LIST = under("support", "channels")

CASES = {
    "list_channel_adapters": Case({}, says="telegram"),
    "list_channels": Case(of("support"), says=TELEGRAM),
    "create_channel": Case(
        of("seo", channel_type="telegram", chat_id="-1002003", secrets_from={"bot_token": BOT}),
        at=under("seo", "channels"),
        seen=has(channel_type="telegram"),
    ),
    "update_channel": Case(
        of("support", channel=TELEGRAM, enabled="no"), at=LIST, seen=has(id=TELEGRAM, enabled=False)
    ),
    "delete_channel": Case(of("support", channel=TELEGRAM), at=LIST, seen=lacks(id=TELEGRAM)),
    "send_channel_message": Case(
        of("support", channel=TELEGRAM, text="Back at noon."),
        at=LIST,
        seen=has(id=TELEGRAM, message_count=35),
        vague=True,
    ),
    "test_channel": Case(of("support", channel=TELEGRAM), unseen="a test counts no message", vague=True),
    "discover_channel_chats": Case(
        of("support", bot_token_from=BOT), unseen="it asks the chat service, not the tenant"
    ),
}
