"""The tables of the embedded tenant.

Times are RFC 3339 text with six fraction digits, JSON is text, tokens are SHA-256 digests, secret values are
encrypted. `provisioning_at` is when the last start began; `awaiting_agent` marks one that an outside agent must finish.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS workspaces (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT,
    tier INTEGER NOT NULL DEFAULT 3,
    status TEXT NOT NULL CHECK (status IN ('provisioning', 'online', 'degraded', 'offline', 'failed', 'paused',
                                           'hibernated', 'removed')),
    agent_card TEXT,
    url TEXT NOT NULL DEFAULT '',
    parent_id TEXT REFERENCES workspaces (id) ON DELETE SET NULL,
    active_tasks INTEGER NOT NULL DEFAULT 0,
    max_concurrent_tasks INTEGER NOT NULL DEFAULT 1,
    current_task TEXT NOT NULL DEFAULT '',
    last_error_rate REAL NOT NULL DEFAULT 0,
    last_sample_error TEXT NOT NULL DEFAULT '',
    uptime_seconds INTEGER NOT NULL DEFAULT 0,
    runtime TEXT NOT NULL DEFAULT 'langgraph',
    x REAL NOT NULL DEFAULT 0,
    y REAL NOT NULL DEFAULT 0,
    collapsed INTEGER NOT NULL DEFAULT 0,
    workspace_dir TEXT,
    workspace_access TEXT NOT NULL DEFAULT 'none',
    monthly_spend INTEGER NOT NULL DEFAULT 0,
    budget_limit INTEGER,
    last_outbound_at TEXT,
    provisioning_at TEXT,
    awaiting_agent INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS workspaces_by_parent ON workspaces (parent_id);
CREATE INDEX IF NOT EXISTS workspaces_by_status ON workspaces (status);

CREATE TABLE IF NOT EXISTS workspace_tokens (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT
);
CREATE INDEX IF NOT EXISTS workspace_tokens_by_workspace ON workspace_tokens (workspace_id);

CREATE TABLE IF NOT EXISTS org_tokens (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    name TEXT,
    org_id TEXT,
    created_by TEXT,
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT
);

CREATE TABLE IF NOT EXISTS workspace_secrets (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (workspace_id, key)
);

CREATE TABLE IF NOT EXISTS global_secrets (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS approvals (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    task_id TEXT NOT NULL DEFAULT '',
    action TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    context TEXT,
    status TEXT NOT NULL DEFAULT 'pending',
    decided_by TEXT,
    decided_at TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS approvals_by_workspace ON approvals (workspace_id, created_at);

CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY,
    event_type TEXT NOT NULL,
    workspace_id TEXT,
    payload TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_time ON events (created_at);
CREATE INDEX IF NOT EXISTS events_by_workspace ON events (workspace_id, created_at);

CREATE TABLE IF NOT EXISTS channels (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_type TEXT NOT NULL,
    config BLOB NOT NULL,
    allowed_users TEXT,
    enabled INTEGER NOT NULL,
    message_count INTEGER NOT NULL DEFAULT 0,
    last_message_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (workspace_id, channel_type)
);

CREATE TABLE IF NOT EXISTS schedules (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    cron_expr TEXT NOT NULL,
    timezone TEXT NOT NULL,
    prompt TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    last_run_at TEXT,
    next_run_at TEXT,
    run_count INTEGER NOT NULL DEFAULT 0,
    last_status TEXT NOT NULL DEFAULT '',
    last_error TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT 'runtime',
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE TABLE IF NOT EXISTS viewport (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    x REAL NOT NULL,
    y REAL NOT NULL,
    zoom REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS memory (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at TEXT,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (workspace_id, key)
);

CREATE TABLE IF NOT EXISTS memories (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    scope TEXT NOT NULL,
    namespace TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS memories_by_workspace ON memories (workspace_id);
CREATE VIRTUAL TABLE IF NOT EXISTS memories_text USING fts5 (content, tokenize = 'porter');
CREATE TRIGGER IF NOT EXISTS memories_added AFTER INSERT ON memories BEGIN
    INSERT INTO memories_text (rowid, content) VALUES (new.number, new.content);
END;
CREATE TRIGGER IF NOT EXISTS memories_gone AFTER DELETE ON memories BEGIN
    DELETE FROM memories_text WHERE rowid = old.number;
END;

CREATE TABLE IF NOT EXISTS activity (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    activity_type TEXT NOT NULL,
    source_id TEXT,
    target_id TEXT,
    method TEXT,
    summary TEXT,
    request_body TEXT,
    response_body TEXT,
    tool_trace TEXT,
    duration_ms INTEGER,
    status TEXT NOT NULL DEFAULT 'ok',
    error_detail TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS activity_by_workspace ON activity (workspace_id, created_at);

CREATE TABLE IF NOT EXISTS handovers (
    delegation_id TEXT PRIMARY KEY,
    source_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    target_id TEXT NOT NULL,
    task TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    idempotency_key TEXT,
    due_at TEXT,
    UNIQUE (source_id, idempotency_key)
);
CREATE INDEX IF NOT EXISTS handovers_by_due ON handovers (due_at);

CREATE TABLE IF NOT EXISTS audit (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    timestamp TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    input_hash TEXT,
    output_hash TEXT,
    model_used TEXT,
    human_oversight_flag INTEGER NOT NULL DEFAULT 0,
    risk_flag INTEGER NOT NULL DEFAULT 0,
    prev_hmac TEXT,
    hmac TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_by_workspace ON audit (workspace_id, timestamp);

CREATE TABLE IF NOT EXISTS instructions (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    scope_target TEXT,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS checkpoints (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    workflow_id TEXT NOT NULL,
    step_name TEXT NOT NULL,
    step_index INTEGER NOT NULL DEFAULT 0,
    payload TEXT NOT NULL,
    completed_at TEXT NOT NULL,
    UNIQUE (workspace_id, workflow_id, step_name)
);

CREATE TABLE IF NOT EXISTS installed_plugins (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE IF NOT EXISTS plugin_allowlist (
    org_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    plugin_name TEXT NOT NULL,
    enabled_by TEXT NOT NULL,
    enabled_at TEXT NOT NULL,
    PRIMARY KEY (org_id, plugin_name)
);

CREATE TABLE IF NOT EXISTS disk_files (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    root TEXT NOT NULL,
    path TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (workspace_id, root, path)
);

CREATE TABLE IF NOT EXISTS artifact_repos (
    name TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    read_only INTEGER NOT NULL DEFAULT 0,
    objects INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS artifact_links (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL UNIQUE REFERENCES workspaces (id) ON DELETE CASCADE,
    repo TEXT NOT NULL REFERENCES artifact_repos (name),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS token_usage (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS token_usage_by_workspace ON token_usage (workspace_id, created_at);

CREATE TABLE IF NOT EXISTS configs (
    workspace_id TEXT PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    data TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS folders (
    kind TEXT NOT NULL CHECK (kind IN ('workspace', 'org')),
    folder TEXT NOT NULL,
    path TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (kind, folder, path)
);

CREATE TABLE IF NOT EXISTS container_files (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (workspace_id, path)
);

CREATE TABLE IF NOT EXISTS agents (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'replaced', 'removed'))
);
CREATE UNIQUE INDEX IF NOT EXISTS one_active_agent ON agents (workspace_id) WHERE status = 'active';
"""
