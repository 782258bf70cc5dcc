"""The catalogue of chat platforms, as the tenant has it compiled in. It does not say that sending needs a chat_id."""

from typing import Any

ADAPTERS: list[dict[str, Any]] = [
    {
        "type": "discord",
        "display_name": "Discord",
        "config_schema": [
            {
                "key": "webhook_url",
                "label": "Webhook URL",
                "type": "password",
                "required": True,
                "sensitive": True,
                "placeholder": "https://discord.com/api/webhooks/{id}/{token}",
                "help": "From Server Settings → Integrations → Webhooks → Copy URL.",
            },
            {
                "key": "public_key",
                "label": "Interactions Public Key (hex)",
                "type": "password",
                "required": False,
                "sensitive": True,
                "placeholder": "optional — for inbound slash commands",
                "help": "Ed25519 public key from the Discord Developer Portal → General Information. Only "
                "needed to receive slash commands.",
            },
        ],
    },
    {
        "type": "lark",
        "display_name": "Lark / Feishu",
        "config_schema": [
            {
                "key": "webhook_url",
                "label": "Custom Bot Webhook URL",
                "type": "password",
                "required": True,
                "sensitive": True,
                "placeholder": "https://open.feishu.cn/open-apis/bot/v2/hook/XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX",
                "help": "From the Lark/Feishu bot page → Webhook settings. open.feishu.cn (China) and "
                "open.larksuite.com (international) both accepted.",
            },
            {
                "key": "verify_token",
                "label": "Event Subscription Verify Token",
                "type": "password",
                "required": False,
                "sensitive": True,
                "placeholder": "optional — from Event Subscriptions page",
                "help": 'Only needed if you want to receive messages from Lark. Paste the "Verification '
                "Token\" from your app's Event Subscriptions configuration.",
            },
        ],
    },
    {
        "type": "slack",
        "display_name": "Slack",
        "config_schema": [
            {
                "key": "bot_token",
                "label": "Bot Token (xoxb-…)",
                "type": "password",
                "required": False,
                "sensitive": True,
                "placeholder": "xoxb-1234-5678-abc...",
                "help": "Bot API mode — supports per-agent identity override. Required scopes: "
                "chat:write, chat:write.customize. Leave empty to use Incoming Webhook mode "
                "instead.",
            },
            {
                "key": "channel_id",
                "label": "Channel ID",
                "type": "text",
                "required": False,
                "sensitive": False,
                "placeholder": "C01234ABCDE",
                "help": 'Required when using Bot Token mode. From the channel\'s "View channel details" dialog.',
            },
            {
                "key": "webhook_url",
                "label": "Incoming Webhook URL (legacy)",
                "type": "password",
                "required": False,
                "sensitive": True,
                "placeholder": "https://hooks.slack.com/services/T.../B.../...",
                "help": "Simpler mode — no per-agent identity. Either Bot Token OR Webhook URL is required.",
            },
            {
                "key": "username",
                "label": "Override Username",
                "type": "text",
                "required": False,
                "sensitive": False,
                "placeholder": "optional, Bot Token mode only",
                "help": "Display name to use on outbound messages. Ignored in Webhook mode.",
            },
            {
                "key": "icon_emoji",
                "label": "Override Icon Emoji",
                "type": "text",
                "required": False,
                "sensitive": False,
                "placeholder": ":robot_face:",
                "help": "Emoji shortcode for per-message avatar. Ignored in Webhook mode.",
            },
        ],
    },
    {
        "type": "telegram",
        "display_name": "Telegram",
        "config_schema": [
            {
                "key": "bot_token",
                "label": "Bot Token",
                "type": "password",
                "required": True,
                "sensitive": True,
                "placeholder": "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "help": "From @BotFather → /newbot (or /token on an existing bot).",
            },
            {
                "key": "chat_id",
                "label": "Chat IDs",
                "type": "text",
                "required": True,
                "sensitive": False,
                "placeholder": "-100123456789, -100987654321",
                "help": 'Comma-separated chat IDs. Use "Detect Chats" after adding the bot to groups or '
                "sending /start in DMs.",
            },
        ],
    },
]
