
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE TABLE public.accounts (
    id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL,
    label text NOT NULL COLLATE pg_catalog."C",
    email text NOT NULL,
    from_name text,
    is_default boolean NOT NULL,
    backend text NOT NULL,
    imap_host text NOT NULL,
    imap_port integer NOT NULL,
    imap_security text NOT NULL,
    smtp_host text NOT NULL,
    smtp_port integer NOT NULL,
    smtp_security text NOT NULL,
    imap_username text NOT NULL,
    smtp_username text NOT NULL,
    auth text NOT NULL,
    credential bytea NOT NULL,
    credential_version integer NOT NULL,
    health text NOT NULL,
    created_at bigint NOT NULL,
    send_policy text DEFAULT 'immediate'::text NOT NULL,
    signature text,
    aliases text DEFAULT '[]'::text NOT NULL,
    CONSTRAINT accounts_auth_check CHECK ((auth = ANY (ARRAY['password'::text, 'oauth2'::text]))),
    CONSTRAINT accounts_backend_check CHECK ((backend = ANY (ARRAY['servers'::text, 'demo'::text]))),
    CONSTRAINT accounts_health_check CHECK ((health = ANY (ARRAY['ok'::text, 'needs_attention'::text]))),
    CONSTRAINT accounts_imap_port_check CHECK (((imap_port >= 0) AND (imap_port <= 65535))),
    CONSTRAINT accounts_imap_security_check CHECK ((imap_security = ANY (ARRAY['tls'::text, 'starttls'::text, 'insecure'::text]))),
    CONSTRAINT accounts_smtp_port_check CHECK (((smtp_port >= 0) AND (smtp_port <= 65535))),
    CONSTRAINT accounts_smtp_security_check CHECK ((smtp_security = ANY (ARRAY['tls'::text, 'starttls'::text, 'insecure'::text])))
);

CREATE TABLE public.authorization_requests (
    hash bytea NOT NULL,
    session bytea NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    permissions text NOT NULL,
    offline boolean NOT NULL,
    resource text NOT NULL,
    state text,
    code_challenge text NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE public.clients (
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    name text NOT NULL,
    redirect_uris text NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint,
    CONSTRAINT clients_kind_check CHECK ((kind = ANY (ARRAY['registered'::text, 'document'::text, 'personal'::text])))
);

CREATE TABLE public.codes (
    hash bytea NOT NULL,
    grant_id text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    resource text NOT NULL,
    offline boolean NOT NULL,
    expires_at bigint NOT NULL,
    consumed_at bigint
);

CREATE TABLE public.grants (
    id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL,
    client_id text NOT NULL,
    client_name text NOT NULL,
    permissions text NOT NULL,
    accounts text,
    send_policy text NOT NULL,
    resource text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    used_at bigint
);

CREATE TABLE public.keys (
    kid text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    check_value bytea NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT keys_state_check CHECK ((state = ANY (ARRAY['active'::text, 'decrypt_only'::text, 'retired'::text])))
);

CREATE TABLE public.operations (
    id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL,
    account_id text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    detail text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT operations_detail_check CHECK ((octet_length(detail) <= 262144)),
    CONSTRAINT operations_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'running'::text, 'done'::text, 'undone'::text, 'failed'::text])))
);

CREATE TABLE public.outbox (
    id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL,
    account_id text NOT NULL,
    grant_id text NOT NULL,
    state text NOT NULL,
    message_id text NOT NULL,
    sender text NOT NULL,
    recipients text NOT NULL,
    message bytea NOT NULL,
    idempotency bytea,
    content bytea NOT NULL,
    refusals text NOT NULL,
    saved_to_sent boolean,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    next_attempt_at bigint,
    expires_at bigint DEFAULT 0 NOT NULL,
    not_before bigint,
    hold text,
    attempts integer DEFAULT 0 NOT NULL,
    looks integer DEFAULT 0 NOT NULL,
    worker text,
    lease_until bigint,
    fence bigint DEFAULT 0 NOT NULL,
    at_risk boolean DEFAULT false NOT NULL,
    departed boolean DEFAULT false NOT NULL,
    last_error text,
    subject bytea,
    CONSTRAINT outbox_hold_check CHECK ((hold = ANY (ARRAY['undo'::text, 'approval'::text, 'scheduled'::text]))),
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'accepted'::text, 'done'::text, 'rejected'::text, 'unknown'::text, 'cancelled'::text, 'pending_approval'::text])))
);

CREATE TABLE public.outbox_parcels (
    outbox_id text NOT NULL COLLATE pg_catalog."C",
    parcel_id text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.parcel_chunks (
    parcel_id text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    sealed bytea NOT NULL
);

CREATE TABLE public.parcels (
    id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE public.sessions (
    hash bytea NOT NULL,
    user_id text,
    csrf text NOT NULL,
    created_at bigint NOT NULL,
    authenticated_at bigint,
    expires_at bigint NOT NULL
);

CREATE TABLE public.setup_links (
    id text NOT NULL COLLATE pg_catalog."C",
    hash bytea NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT setup_links_id_check CHECK ((id = 'only'::text))
);

CREATE TABLE public.style_drafts (
    account_id text NOT NULL,
    message_id text NOT NULL,
    draft bytea NOT NULL,
    written_at bigint NOT NULL
);

CREATE TABLE public.tokens (
    id text NOT NULL COLLATE pg_catalog."C",
    hash bytea NOT NULL,
    kind text NOT NULL,
    grant_id text NOT NULL,
    expires_at bigint,
    created_at bigint NOT NULL,
    used_at bigint,
    parent_id text,
    consumed_at bigint,
    confirmed_at bigint,
    CONSTRAINT tokens_kind_check CHECK ((kind = ANY (ARRAY['access'::text, 'refresh'::text, 'personal'::text])))
);

CREATE TABLE public.uploads (
    id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL,
    grant_id text NOT NULL,
    about bytea NOT NULL,
    max_octets bigint NOT NULL,
    parcel_id text COLLATE pg_catalog."C",
    complete boolean NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE public.users (
    id text NOT NULL COLLATE pg_catalog."C",
    email text NOT NULL,
    email_key text NOT NULL COLLATE pg_catalog."C",
    is_admin boolean NOT NULL,
    password_hash text,
    disabled_at bigint,
    created_at bigint NOT NULL
);

CREATE TABLE public.writing_styles (
    account_id text NOT NULL,
    user_id text NOT NULL,
    profile bytea,
    version bigint DEFAULT 0 NOT NULL
);

INSERT INTO public.__diesel_schema_migrations VALUES ('0001', '2026-11-28 08:07:50.041351');
INSERT INTO public.__diesel_schema_migrations VALUES ('0002', '2026-11-28 08:07:50.067004');
INSERT INTO public.__diesel_schema_migrations VALUES ('0003', '2026-11-28 08:07:50.074758');
INSERT INTO public.__diesel_schema_migrations VALUES ('0004', '2026-11-28 08:07:50.076329');
INSERT INTO public.__diesel_schema_migrations VALUES ('0005', '2026-11-28 08:07:50.082741');

INSERT INTO public.accounts VALUES ('acc_nWF3F9TQisg8YYqF', 'usr_24bN8UQeT3jmZLRg', 'Work', 'work@example.com', NULL, true, 'servers', 'mail.example.com', 993, 'tls', 'mail.example.com', 465, 'tls', 'work@example.com', 'work@example.com', 'password', '\x0101096b3866356339383538dc74c570506b8c76c668d84b2a1ebdf20c9d34997e0447b3a11ee96466b9e2e334d513d720bbd0f67115c18d302a58e3a9efc9a798ca16180e260aac89c544552bb39e14599c43451ad5c5df2f43a8faa5dedfd9a33616caff46973076ef8a07cd3b976777d421297c', 1, 'ok', 1795853270206, 'immediate', NULL, '[]');
INSERT INTO public.accounts VALUES ('acc_BYLk9UeDi3rvfNlN', 'usr_24bN8UQeT3jmZLRg', 'Club', 'club@example.com', NULL, false, 'servers', '127.0.0.1', 1143, 'starttls', '127.0.0.1', 1587, 'starttls', 'club', 'club', 'password', '\x0101096b3866356339383538633fc5ad27cfcd45417ce9105756bbc117dbc227f4a17c5f6aea3f69d698e57f845dc389b8d37d0f0d388dcbe0569482d2bce70fab3de45a0a04878eb93dcebb6ab840da6026f0a106dd7c16ddb17f6e9ef82d39812519069fbbf8ce70f1aef42857a46a4cc3ff0c', 1, 'ok', 1795853270244, 'immediate', NULL, '[]');
INSERT INTO public.accounts VALUES ('acc_2ZHW3VNh31Ra3FMy', 'usr_24bN8UQeT3jmZLRg', 'Demo', 'demo@example.com', NULL, false, 'demo', '', 0, 'tls', '', 0, 'tls', 'demo@example.com', 'demo@example.com', 'password', '\x0101096b3866356339383538b003b6c725933402c7328a7632c1111a8c4068c0067e20ee7e5b681e5c9f705faeb928b6563bcf202374ce80ee2de57603de25e4045551e0e23c4348766a864e5f9b720f2fb34f7d8370ddc123fa2fa0a0a7a0246b0e4557', 1, 'ok', 1795853270307, 'immediate', NULL, '[]');
INSERT INTO public.accounts VALUES ('acc_3XZs8xhSLAzyHCRo', 'usr_24bN8UQeT3jmZLRg', 'Old', 'old@example.com', NULL, false, 'servers', '127.0.0.1', 1144, 'insecure', '127.0.0.1', 1025, 'insecure', 'old', 'old', 'password', '\x0101096b38663563393835388daab6c1f4e0d8f1143180752c220e8fadd0bedd9a71114222eb14f4f686190c2865e489c45604e4f53802c763e28a13c209ce6b758434f321077e23c981ad3b3956b058811f84925718e6f0d17432823f378548d3224d0209bbda039a5637627af10c52aa', 1, 'needs_attention', 1795853270275, 'immediate', NULL, '[]');

INSERT INTO public.clients VALUES ('cli_personal', 'personal', 'Personal access token', '[]', 0, NULL);

INSERT INTO public.grants VALUES ('grt_RAGPbUNNMndTljAh', 'usr_24bN8UQeT3jmZLRg', 'cli_personal', 'other', 'mail.read mail.organize mail.draft mail.send', NULL, 'immediate', 'http://127.0.0.1:18931/mcp', 1795853270340, NULL, NULL, NULL);
INSERT INTO public.grants VALUES ('grt_hzQt_i5pAzBzUT3f', 'usr_24bN8UQeT3jmZLRg', 'cli_personal', 'kept', 'mail.read mail.organize mail.draft mail.send', NULL, 'immediate', 'http://127.0.0.1:18931/mcp', 1795853270367, NULL, NULL, 1795853292760);

INSERT INTO public.keys VALUES ('k8f5c9858', 'active', '\x4ef76ea4bcd293677bf4e141a5a2ac556405f5e4cdf98f1f27471c8ab1da2460', 1795853270122);

INSERT INTO public.operations VALUES ('op_-h4j4vy15W_1nEQF', 'usr_24bN8UQeT3jmZLRg', 'acc_2ZHW3VNh31Ra3FMy', 'change', 'done', '{"steps":[{"Move":{"folder":"Archive","uid_validity":1006,"uids":[[50,50]],"to":"INBOX"}}]}', 1795853292975, 1796458092975);

INSERT INTO public.outbox VALUES ('out_nj0yORbafIM_XMl3', 'usr_24bN8UQeT3jmZLRg', 'acc_nWF3F9TQisg8YYqF', 'grt_hzQt_i5pAzBzUT3f', 'queued', 'UGbb5HSXZY0mmBDZqsdXHm6D@example.com', 'work@example.com', '["bob@example.org"]', '\x0101096b386635633938353872bc06ee42adbf1ee56b1522841f40fe95dd8794645e1ffc0a268fada088f4cfbcfb3bb58c9596c3fdfa6ae875ca7e99717e480b7100ee31fa71eb408551399098ab97a5623e61a871d31bfce6fdadcf9817b7f15ae78c7936a402d5041038e6e0a78bf5d3d7477f9a6b1409325ba56d37d79e1dfae7b93837c28c302f9547a9482054872e965b5c5df40fef716fe679a2f62027c785e7af141b6695d63b388f1561b8e55bbfb4de76155c9ab8950b9c54131d448a674f87657de607819d668024c9f934b99cd13fd48ce388175f06bd656f68e4d15b5ce9c39df7bbacd8dad0d3129684853abac07d2d9b638c1858aaae9bb8821dbc44eb4138b22b2a31cbb0ea59d45257137f810b1362077619ffe3c37d2fa342c35a8d701ab66689ea1e727d9b2eeb5ef13e984187d486510fb29c09f379463f832ed37bd47a66554c864e92edfe26d8f7f3b977c64c35fb578de23ebb21edf3e56ef00060648acedc2f4253e90be657e74aa209cadd7f6d1b672929e8a3227f63755d33d0b6ee1adc2349406c4771a948b3f2cd8162', NULL, '\x8c35d3c1cbb003b7d3950fcbd68c2cb53d89bf91f8826227d83aa1a5620b5a96', '[]', NULL, 1795853292992, 1795853292992, 1826704800000, 1826791200000, 1826704800000, 'scheduled', 0, 0, NULL, NULL, 0, false, false, NULL, '\x0101096b3866356339383538037bdb3dc5580f8d326cb2e9b4dc169eef2745b9c9181fce1f8c28c272035dcfcc91f071d920f3c6e0dfafa76461f08bf185445f98f72667189f7d9e2e40a3ddadcbffcea2824afa60670d94d76a380ea5103ec3ace9b34a64914fb4b076b8ef83');

INSERT INTO public.setup_links VALUES ('only', '\xac9f358c330043693dec73d0737ae35329af9526d24130e53e20f8c1a8ad8ba0', 1795939692502);

INSERT INTO public.tokens VALUES ('tok_ZSQzVTWnur9KzcRC', '\xd9323848c8cb4fead992fcdb128102220916f1eb0dee3bfe6cd47202ed31a63a', 'personal', 'grt_RAGPbUNNMndTljAh', NULL, 1795853270340, NULL, NULL, NULL, NULL);
INSERT INTO public.tokens VALUES ('tok_kFJgzhHiViEG_KoE', '\xe7ec766e2757e1b52589fabb581b047d95bb2cc586a58e90a5d1f47f881fc202', 'personal', 'grt_hzQt_i5pAzBzUT3f', NULL, 1795853270367, 1795853292760, NULL, NULL, NULL);

INSERT INTO public.users VALUES ('usr_24bN8UQeT3jmZLRg', 'owner@example.com', 'owner@example.com', false, '$argon2id$v=19$m=19456,t=2,p=1$FEm0hrb/+Y6/XU62LSmUxA$S6+nEAwptOeU9t/4uxMyAtCT4cLKjc05behX6v341/o', NULL, 1795853270167);

ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_user_id_label_key UNIQUE (user_id, label);

ALTER TABLE ONLY public.authorization_requests
    ADD CONSTRAINT authorization_requests_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.codes
    ADD CONSTRAINT codes_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outbox_parcels
    ADD CONSTRAINT outbox_parcels_pkey PRIMARY KEY (outbox_id, parcel_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.parcel_chunks
    ADD CONSTRAINT parcel_chunks_pkey PRIMARY KEY (parcel_id, "position");

ALTER TABLE ONLY public.parcels
    ADD CONSTRAINT parcels_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.setup_links
    ADD CONSTRAINT setup_links_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.style_drafts
    ADD CONSTRAINT style_drafts_pkey PRIMARY KEY (account_id, message_id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key_key UNIQUE (email_key);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.writing_styles
    ADD CONSTRAINT writing_styles_pkey PRIMARY KEY (account_id);

CREATE UNIQUE INDEX accounts_one_default ON public.accounts USING btree (user_id) WHERE is_default;

CREATE INDEX authorization_requests_by_client ON public.authorization_requests USING btree (client_id);

CREATE INDEX authorization_requests_by_session ON public.authorization_requests USING btree (session);

CREATE INDEX clients_unused ON public.clients USING btree (created_at) WHERE (used_at IS NULL);

CREATE INDEX codes_by_grant ON public.codes USING btree (grant_id);

CREATE INDEX grants_by_client ON public.grants USING btree (client_id);

CREATE INDEX grants_by_user ON public.grants USING btree (user_id);

CREATE UNIQUE INDEX keys_one_active ON public.keys USING btree (state) WHERE (state = 'active'::text);

CREATE INDEX operations_by_account ON public.operations USING btree (account_id);

CREATE INDEX operations_by_expiry ON public.operations USING btree (expires_at);

CREATE INDEX operations_by_user ON public.operations USING btree (user_id);

CREATE INDEX outbox_by_account ON public.outbox USING btree (account_id);

CREATE INDEX outbox_by_content ON public.outbox USING btree (user_id, content, created_at);

CREATE INDEX outbox_by_grant ON public.outbox USING btree (grant_id);

CREATE UNIQUE INDEX outbox_by_idempotency ON public.outbox USING btree (user_id, idempotency) WHERE (idempotency IS NOT NULL);

CREATE INDEX outbox_by_user ON public.outbox USING btree (user_id, created_at, id);

CREATE INDEX outbox_due ON public.outbox USING btree (next_attempt_at) WHERE (next_attempt_at IS NOT NULL);

CREATE INDEX outbox_parcels_by_parcel ON public.outbox_parcels USING btree (parcel_id);

CREATE INDEX parcels_by_expiry ON public.parcels USING btree (expires_at);

CREATE INDEX parcels_by_user ON public.parcels USING btree (user_id);

CREATE INDEX sessions_by_expiry ON public.sessions USING btree (expires_at);

CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id);

CREATE INDEX style_drafts_by_age ON public.style_drafts USING btree (written_at);

CREATE INDEX tokens_by_expiry ON public.tokens USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX tokens_by_grant ON public.tokens USING btree (grant_id);

CREATE INDEX tokens_by_parent ON public.tokens USING btree (parent_id) WHERE (parent_id IS NOT NULL);

CREATE INDEX uploads_by_expiry ON public.uploads USING btree (expires_at);

CREATE INDEX uploads_by_grant ON public.uploads USING btree (grant_id);

CREATE INDEX uploads_by_user ON public.uploads USING btree (user_id);

CREATE INDEX writing_styles_by_user ON public.writing_styles USING btree (user_id);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.authorization_requests
    ADD CONSTRAINT authorization_requests_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.codes
    ADD CONSTRAINT codes_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outbox_parcels
    ADD CONSTRAINT outbox_parcels_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES public.outbox(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outbox_parcels
    ADD CONSTRAINT outbox_parcels_parcel_id_fkey FOREIGN KEY (parcel_id) REFERENCES public.parcels(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.parcel_chunks
    ADD CONSTRAINT parcel_chunks_parcel_id_fkey FOREIGN KEY (parcel_id) REFERENCES public.parcels(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.parcels
    ADD CONSTRAINT parcels_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.style_drafts
    ADD CONSTRAINT style_drafts_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.writing_styles(account_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.writing_styles
    ADD CONSTRAINT writing_styles_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.writing_styles
    ADD CONSTRAINT writing_styles_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

