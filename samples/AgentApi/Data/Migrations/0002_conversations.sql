create table conversations (
    id            uuid        primary key,
    user_id       integer     not null references users (id) on delete cascade,
    title         text        not null check (char_length(title) <= 200),
    message_count integer     not null default 0,
    tokens        bigint      not null default 0,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create index conversations_of_user on conversations (user_id, updated_at desc);

create table messages (
    conversation_id uuid        not null references conversations (id) on delete cascade,
    number          integer     not null check (number > 0),
    role            text        not null check (role in ('user', 'assistant')),
    content         text        not null,
    tokens          integer     not null check (tokens >= 0),
    created_at      timestamptz not null default now(),
    primary key (conversation_id, number)
);
