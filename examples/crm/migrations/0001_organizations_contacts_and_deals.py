"""organizations, contacts and deals

- create table organizations
- create table memberships
- create table contacts
- create table deals
- add index ix_organizations_created_at_id to organizations
- add index ix_memberships_organization_id_created_at_id to memberships
- add index ix_memberships_user_id to memberships
- add index ix_contacts_organization_id_created_at_id to contacts
- add index ix_deals_organization_id_created_at_id to deals
- add index ix_deals_organization_id_seller_id_created_at_id to deals
- add index ix_deals_contact_id to deals
- add foreign key fk_memberships_organization_id to memberships
- add foreign key fk_contacts_organization_id to contacts
- add foreign key fk_deals_organization_id to deals
- add foreign key fk_deals_contact_id to deals
- write the grants on organizations, memberships, contacts, deals as row-level security policies
"""

import sqlalchemy as sa  # noqa: F401
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('organizations',
    sa.Column('id', sa.Uuid(), server_default=sa.literal_column("(overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid"), nullable=False),
    sa.Column('name', sa.Text(collation='C'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('version', sa.BigInteger(), server_default=sa.literal_column('1'), nullable=False),
    sa.CheckConstraint(sa.literal_column('char_length(name) BETWEEN 1 AND 120'), name='ck_organizations_name_length'),
    sa.PrimaryKeyConstraint('id', name='pk_organizations')
    )
    op.create_table('memberships',
    sa.Column('id', sa.Uuid(), server_default=sa.literal_column("(overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid"), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Text(collation='C'), nullable=False),
    sa.Column('role', sa.Text(collation='C'), server_default=sa.literal_column("'viewer'"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('version', sa.BigInteger(), server_default=sa.literal_column('1'), nullable=False),
    sa.CheckConstraint(sa.literal_column("role IN ('owner', 'manager', 'seller', 'support', 'viewer')"), name='ck_memberships_role_literals'),
    sa.CheckConstraint(sa.literal_column('char_length(user_id) BETWEEN 1 AND 255'), name='ck_memberships_user_id_length'),
    sa.PrimaryKeyConstraint('id', name='pk_memberships'),
    sa.UniqueConstraint('organization_id', 'user_id', name='uq_memberships_organization_id_user_id')
    )
    op.create_table('contacts',
    sa.Column('id', sa.Uuid(), server_default=sa.literal_column("(overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid"), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(collation='C'), nullable=False),
    sa.Column('email', sa.Text(collation='C'), nullable=True),
    sa.Column('phone', sa.Text(collation='C'), nullable=True),
    sa.Column('company', sa.Text(collation='C'), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('version', sa.BigInteger(), server_default=sa.literal_column('1'), nullable=False),
    sa.CheckConstraint(sa.literal_column("phone ~ '^(?:\\+?[0-9][0-9 ]{4,})$'"), name='ck_contacts_phone_pattern'),
    sa.CheckConstraint(sa.literal_column('char_length(company) <= 120'), name='ck_contacts_company_length'),
    sa.CheckConstraint(sa.literal_column('char_length(email) <= 10000'), name='ck_contacts_email_length'),
    sa.CheckConstraint(sa.literal_column('char_length(name) BETWEEN 1 AND 120'), name='ck_contacts_name_length'),
    sa.CheckConstraint(sa.literal_column('char_length(phone) <= 20'), name='ck_contacts_phone_length'),
    sa.CheckConstraint(sa.literal_column('octet_length(email) <= 2500'), name='ck_contacts_email_size'),
    sa.PrimaryKeyConstraint('id', name='pk_contacts'),
    sa.UniqueConstraint('organization_id', 'email', name='uq_contacts_organization_id_email')
    )
    op.create_table('deals',
    sa.Column('id', sa.Uuid(), server_default=sa.literal_column("(overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid"), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.Text(collation='C'), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('worth', sa.Numeric(precision=12, scale=2), nullable=True),
    sa.Column('margin', sa.Numeric(precision=12, scale=2), nullable=True),
    sa.Column('stage', sa.Text(collation='C'), server_default=sa.literal_column("'lead'"), nullable=False),
    sa.Column('expected_on', sa.Date(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seller_id', sa.Text(collation='C'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('version', sa.BigInteger(), server_default=sa.literal_column('1'), nullable=False),
    sa.CheckConstraint(sa.literal_column("closed_at >= '0001-01-01 00:00:00+00' AND closed_at < '10000-01-01 00:00:00+00'"), name='ck_deals_closed_at_range'),
    sa.CheckConstraint(sa.literal_column("expected_on >= '0001-01-01' AND expected_on < '10000-01-01'"), name='ck_deals_expected_on_range'),
    sa.CheckConstraint(sa.literal_column("margin > '-Infinity' AND margin < 'Infinity'"), name='ck_deals_margin_range'),
    sa.CheckConstraint(sa.literal_column("stage IN ('lead', 'offer', 'won', 'lost')"), name='ck_deals_stage_literals'),
    sa.CheckConstraint(sa.literal_column("worth >= 0 AND worth < 'Infinity'"), name='ck_deals_worth_range'),
    sa.CheckConstraint(sa.literal_column('char_length(seller_id) BETWEEN 1 AND 255'), name='ck_deals_seller_id_length'),
    sa.CheckConstraint(sa.literal_column('char_length(title) BETWEEN 1 AND 200'), name='ck_deals_title_length'),
    sa.PrimaryKeyConstraint('id', name='pk_deals')
    )
    op.create_index('ix_organizations_created_at_id', 'organizations', ['created_at', 'id'], unique=False)
    op.create_index('ix_memberships_organization_id_created_at_id', 'memberships', ['organization_id', 'created_at', 'id'], unique=False)
    op.create_index('ix_memberships_user_id', 'memberships', ['user_id'], unique=False)
    op.create_index('ix_contacts_organization_id_created_at_id', 'contacts', ['organization_id', 'created_at', 'id'], unique=False)
    op.create_index('ix_deals_organization_id_created_at_id', 'deals', ['organization_id', 'created_at', 'id'], unique=False)
    op.create_index('ix_deals_organization_id_seller_id_created_at_id', 'deals', ['organization_id', 'seller_id', 'created_at', 'id'], unique=False)
    op.create_index('ix_deals_contact_id', 'deals', ['contact_id'], unique=False)
    op.create_foreign_key('fk_memberships_organization_id', 'memberships', 'organizations', ['organization_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key('fk_contacts_organization_id', 'contacts', 'organizations', ['organization_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key('fk_deals_organization_id', 'deals', 'organizations', ['organization_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key('fk_deals_contact_id', 'deals', 'contacts', ['contact_id'], ['id'])
    op.execute(r"""
    DO $specwright$
    DECLARE
      wanted text;
      chosen text;
      modern boolean \:= current_setting('server_version_num')\:\:int >= 160000;
    BEGIN
      CREATE SCHEMA IF NOT EXISTS specwright;
      CREATE TABLE IF NOT EXISTS specwright.database_roles (suffix text PRIMARY KEY, name text NOT NULL UNIQUE);
      CREATE TABLE IF NOT EXISTS specwright.idempotency_keys (id bytea CONSTRAINT idempotency_keys_pkey PRIMARY KEY, request bytea NOT NULL, at timestamptz NOT NULL DEFAULT transaction_timestamp(), made_key text, version bigint, status smallint, headers text[], media_type text, body bytea);
      CREATE INDEX IF NOT EXISTS idempotency_keys_at ON specwright.idempotency_keys (at);
      BEGIN
        FOREACH wanted IN ARRAY ARRAY['anyone', 'signed_in', 'any', 'derived'] LOOP
          SELECT known.name INTO chosen FROM specwright.database_roles AS known
            JOIN pg_roles ON rolname = known.name WHERE known.suffix = wanted;
          IF chosen IS NULL THEN
            chosen \:= current_database() || '_' || wanted;
            IF octet_length(chosen) > 63 THEN
              chosen \:= left(chosen, 7) || '_' || md5(chosen);
            END IF;
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = chosen) THEN
              BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', chosen);
              EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another migration was faster
              END;
            END IF;
            INSERT INTO specwright.database_roles VALUES (wanted, chosen)
              ON CONFLICT (suffix) DO UPDATE SET name = excluded.name;
          END IF;
          IF NOT pg_has_role(chosen, CASE WHEN modern THEN 'SET' ELSE 'MEMBER' END) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', chosen)
              || CASE WHEN modern THEN ' WITH SET TRUE, INHERIT FALSE' ELSE '' END;
          END IF;
        END LOOP;
      EXCEPTION WHEN insufficient_privilege THEN
        DELETE FROM specwright.database_roles;
        RAISE WARNING USING MESSAGE = 'Row-level security needs database roles, and the login of the migrations may make none\: as an administrator run ALTER ROLE … CREATEROLE on it, then specwright migrate apply. Until then sessions are refused.';
      END;
    END
    $specwright$
    """)
    op.execute(r"""
    DO $specwright$
    DECLARE
      everyone text;
      derived text;
      wanted record;
    BEGIN
      IF NOT EXISTS (SELECT FROM specwright.database_roles) THEN
        RETURN;
      END IF;
      SELECT string_agg(quote_ident(name), ', ') INTO everyone
        FROM specwright.database_roles WHERE suffix = ANY (ARRAY['anyone', 'signed_in', 'any', 'derived']);
      SELECT quote_ident(name) INTO derived FROM specwright.database_roles WHERE suffix = 'derived';
      CREATE SCHEMA IF NOT EXISTS specwright_definer;
      CREATE VIEW specwright_definer.deals AS SELECT id, organization_id, title, contact_id, worth, margin, stage, expected_on, closed_at, seller_id, created_at, updated_at, version FROM public.deals;
      EXECUTE 'GRANT SELECT ON specwright_definer.deals TO ' || everyone;
      CREATE VIEW specwright_definer.memberships AS SELECT id, organization_id, user_id, role, created_at, updated_at, version FROM public.memberships;
      EXECUTE 'GRANT SELECT ON specwright_definer.memberships TO ' || everyone;
      CREATE VIEW specwright_definer.organizations AS SELECT id, name, created_at, updated_at, version FROM public.organizations;
      EXECUTE 'GRANT SELECT ON specwright_definer.organizations TO ' || everyone;
      FOR wanted IN SELECT * FROM (VALUES
        ('organizations'),
        ('memberships'),
        ('contacts'),
        ('deals')
      ) AS protected (name) LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', wanted.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ', wanted.name) || everyone;
      END LOOP;
      FOR wanted IN SELECT * FROM (VALUES
        ('organizations', 'specwright_derived', 'PERMISSIVE', 'ALL', '{"derived"}', 'true', 'true'),
        ('organizations', 'specwright_2_select', 'PERMISSIVE', 'SELECT', '{"signed_in","any"}', 'EXISTS (SELECT 1
    FROM specwright_definer.memberships AS "D1"
    WHERE "D1".organization_id = organizations.id AND "D1".user_id = nullif(current_setting(''specwright.caller'', true), ''''))', NULL),
        ('organizations', 'specwright_1_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, 'true'),
        ('memberships', 'specwright_derived', 'PERMISSIVE', 'ALL', '{"derived"}', 'true', 'true'),
        ('memberships', 'specwright_tenant', 'RESTRICTIVE', 'ALL', '{"anyone","signed_in","any"}', 'memberships.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D2".id
    FROM specwright_definer.memberships AS "D2"
    WHERE "D2".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D2".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL', 'memberships.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D2".id
    FROM specwright_definer.memberships AS "D2"
    WHERE "D2".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D2".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL'),
        ('memberships', 'specwright_1_select', 'PERMISSIVE', 'SELECT', '{"signed_in","any"}', 'true', NULL),
        ('memberships', 'specwright_2_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, '(SELECT "D3".role
    FROM specwright_definer.memberships AS "D3"
    WHERE "D3".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D3".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''owner'''),
        ('memberships', 'specwright_2_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D4".role
    FROM specwright_definer.memberships AS "D4"
    WHERE "D4".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D4".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''owner''', '(SELECT "D5".role
    FROM specwright_definer.memberships AS "D5"
    WHERE "D5".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D5".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''owner'''),
        ('memberships', 'specwright_2_delete', 'PERMISSIVE', 'DELETE', '{"signed_in","any"}', '(SELECT "D6".role
    FROM specwright_definer.memberships AS "D6"
    WHERE "D6".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D6".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''owner''', NULL),
        ('memberships', 'specwright_3_delete', 'PERMISSIVE', 'DELETE', '{"signed_in","any"}', 'memberships.user_id = nullif(current_setting(''specwright.caller'', true), '''')', NULL),
        ('contacts', 'specwright_derived', 'PERMISSIVE', 'ALL', '{"derived"}', 'true', 'true'),
        ('contacts', 'specwright_tenant', 'RESTRICTIVE', 'ALL', '{"anyone","signed_in","any"}', 'contacts.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D7".id
    FROM specwright_definer.memberships AS "D7"
    WHERE "D7".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D7".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL', 'contacts.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D7".id
    FROM specwright_definer.memberships AS "D7"
    WHERE "D7".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D7".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL'),
        ('contacts', 'specwright_1_select', 'PERMISSIVE', 'SELECT', '{"signed_in","any"}', 'true', NULL),
        ('contacts', 'specwright_2_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, '(SELECT "D8".role
    FROM specwright_definer.memberships AS "D8"
    WHERE "D8".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D8".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''support'''),
        ('contacts', 'specwright_3_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, '(SELECT "D9".role
    FROM specwright_definer.memberships AS "D9"
    WHERE "D9".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D9".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller'''),
        ('contacts', 'specwright_4_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, '(SELECT "D10".role
    FROM specwright_definer.memberships AS "D10"
    WHERE "D10".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D10".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')'),
        ('contacts', 'specwright_2_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D11".role
    FROM specwright_definer.memberships AS "D11"
    WHERE "D11".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D11".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''support''', '(SELECT "D12".role
    FROM specwright_definer.memberships AS "D12"
    WHERE "D12".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D12".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''support'''),
        ('contacts', 'specwright_3_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D13".role
    FROM specwright_definer.memberships AS "D13"
    WHERE "D13".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D13".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller''', '(SELECT "D14".role
    FROM specwright_definer.memberships AS "D14"
    WHERE "D14".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D14".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller'''),
        ('contacts', 'specwright_4_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D15".role
    FROM specwright_definer.memberships AS "D15"
    WHERE "D15".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D15".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')', '(SELECT "D16".role
    FROM specwright_definer.memberships AS "D16"
    WHERE "D16".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D16".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')'),
        ('contacts', 'specwright_5_delete', 'PERMISSIVE', 'DELETE', '{"signed_in","any"}', '(SELECT "D17".role
    FROM specwright_definer.memberships AS "D17"
    WHERE "D17".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D17".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')', NULL),
        ('deals', 'specwright_derived', 'PERMISSIVE', 'ALL', '{"derived"}', 'true', 'true'),
        ('deals', 'specwright_tenant', 'RESTRICTIVE', 'ALL', '{"anyone","signed_in","any"}', 'deals.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D18".id
    FROM specwright_definer.memberships AS "D18"
    WHERE "D18".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D18".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL', 'deals.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D18".id
    FROM specwright_definer.memberships AS "D18"
    WHERE "D18".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D18".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL'),
        ('deals', 'specwright_1_select', 'PERMISSIVE', 'SELECT', '{"signed_in","any"}', 'true', NULL),
        ('deals', 'specwright_2_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, '(SELECT "D19".role
    FROM specwright_definer.memberships AS "D19"
    WHERE "D19".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D19".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller'' AND (deals.stage = ''lead'' OR deals.stage = ''offer'')'),
        ('deals', 'specwright_3_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, '(SELECT "D20".role
    FROM specwright_definer.memberships AS "D20"
    WHERE "D20".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D20".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'') AND (deals.stage = ''lead'' OR deals.stage = ''offer'')'),
        ('deals', 'specwright_4_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D21".role
    FROM specwright_definer.memberships AS "D21"
    WHERE "D21".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D21".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller'' AND deals.seller_id = nullif(current_setting(''specwright.caller'', true), '''') AND (deals.stage = ''lead'' OR deals.stage = ''offer'')', '(SELECT "D22".role
    FROM specwright_definer.memberships AS "D22"
    WHERE "D22".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D22".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller'' AND deals.seller_id = nullif(current_setting(''specwright.caller'', true), '''') AND deals.stage IS DISTINCT FROM ''won'''),
        ('deals', 'specwright_7_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D23".role
    FROM specwright_definer.memberships AS "D23"
    WHERE "D23".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D23".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')', '(SELECT "D24".role
    FROM specwright_definer.memberships AS "D24"
    WHERE "D24".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D24".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')'),
        ('deals', 'specwright_7_delete', 'PERMISSIVE', 'DELETE', '{"signed_in","any"}', '(SELECT "D25".role
    FROM specwright_definer.memberships AS "D25"
    WHERE "D25".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D25".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')', NULL),
        ('deals', 'specwright_hand_over', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', '(SELECT "D26".role
    FROM specwright_definer.memberships AS "D26"
    WHERE "D26".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D26".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')', '(EXISTS (SELECT 1
    FROM specwright_definer.deals AS "D27"
    WHERE "D27".id = deals.id AND (SELECT "D28".role
    FROM specwright_definer.memberships AS "D28"
    WHERE "D28".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D28".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'') AND "D27".organization_id IS NOT DISTINCT FROM deals.organization_id AND "D27".title IS NOT DISTINCT FROM deals.title AND "D27".contact_id IS NOT DISTINCT FROM deals.contact_id AND "D27".worth IS NOT DISTINCT FROM deals.worth AND "D27".margin IS NOT DISTINCT FROM deals.margin AND "D27".stage IS NOT DISTINCT FROM deals.stage AND "D27".expected_on IS NOT DISTINCT FROM deals.expected_on AND "D27".closed_at IS NOT DISTINCT FROM deals.closed_at AND "D27".created_at IS NOT DISTINCT FROM deals.created_at)) AND (EXISTS (SELECT 1
    FROM specwright_definer.organizations AS "D29", specwright_definer.memberships AS "D30"
    WHERE "D29".id = deals.organization_id AND "D30".organization_id = "D29".id AND "D30".user_id = deals.seller_id))'),
        ('deals', 'specwright_hand_over_only', 'RESTRICTIVE', 'UPDATE', '{"signed_in","any"}', 'true', '(EXISTS (SELECT 1
    FROM specwright_definer.deals AS "D31"
    WHERE "D31".id = deals.id AND ((SELECT "D32".role
    FROM specwright_definer.memberships AS "D32"
    WHERE "D32".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D32".user_id = nullif(current_setting(''specwright.caller'', true), '''')) = ''seller'' AND "D31".seller_id = nullif(current_setting(''specwright.caller'', true), '''') AND ("D31".stage = ''lead'' OR "D31".stage = ''offer'') OR (SELECT "D33".role
    FROM specwright_definer.memberships AS "D33"
    WHERE "D33".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D33".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'')))) OR (EXISTS (SELECT 1
    FROM specwright_definer.deals AS "D27"
    WHERE "D27".id = deals.id AND (SELECT "D28".role
    FROM specwright_definer.memberships AS "D28"
    WHERE "D28".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D28".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'') AND "D27".organization_id IS NOT DISTINCT FROM deals.organization_id AND "D27".title IS NOT DISTINCT FROM deals.title AND "D27".contact_id IS NOT DISTINCT FROM deals.contact_id AND "D27".worth IS NOT DISTINCT FROM deals.worth AND "D27".margin IS NOT DISTINCT FROM deals.margin AND "D27".stage IS NOT DISTINCT FROM deals.stage AND "D27".expected_on IS NOT DISTINCT FROM deals.expected_on AND "D27".closed_at IS NOT DISTINCT FROM deals.closed_at AND "D27".created_at IS NOT DISTINCT FROM deals.created_at)) AND (EXISTS (SELECT 1
    FROM specwright_definer.organizations AS "D29", specwright_definer.memberships AS "D30"
    WHERE "D29".id = deals.organization_id AND "D30".organization_id = "D29".id AND "D30".user_id = deals.seller_id))')
      ) AS policy (on_table, name, kind, command, suffixes, seen, written) LOOP
        EXECUTE format('CREATE POLICY %I ON %I AS ', wanted.name, wanted.on_table) || wanted.kind
          || ' FOR ' || wanted.command || ' TO '
          || (SELECT string_agg(quote_ident(name), ', ') FROM specwright.database_roles
              WHERE suffix = ANY (wanted.suffixes\:\:text[]))
          || coalesce(' USING (' || wanted.seen || ')', '')
          || coalesce(' WITH CHECK (' || wanted.written || ')', '');
      END LOOP;
      ALTER TABLE memberships ALTER COLUMN organization_id SET DEFAULT nullif(current_setting('specwright.tenant', true), '')\:\:uuid;
      ALTER TABLE contacts ALTER COLUMN organization_id SET DEFAULT nullif(current_setting('specwright.tenant', true), '')\:\:uuid;
      ALTER TABLE deals ALTER COLUMN organization_id SET DEFAULT nullif(current_setting('specwright.tenant', true), '')\:\:uuid;
      ALTER TABLE deals ALTER COLUMN seller_id SET DEFAULT nullif(current_setting('specwright.caller', true), '');

      EXECUTE 'GRANT USAGE ON SCHEMA specwright TO ' || derived;
      EXECUTE 'GRANT SELECT ON ALL TABLES IN SCHEMA specwright TO ' || derived;
      EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA specwright GRANT SELECT ON TABLES TO ' || derived;
      EXECUTE 'GRANT INSERT, UPDATE, DELETE ON specwright.idempotency_keys TO ' || derived;
      IF to_regclass('alembic_version') IS NOT NULL THEN
        EXECUTE 'GRANT SELECT ON alembic_version TO ' || derived;
      END IF;
      COMMENT ON SCHEMA specwright_definer IS 'ea5c1a5609b9c6c479e0ebea62f474cb';
    END
    $specwright$
    """)


def downgrade() -> None:
    op.execute(r"""
    DO $specwright$
    DECLARE
      managed record;
    BEGIN
      FOR managed IN SELECT schemaname, tablename, policyname FROM pg_policies
        WHERE starts_with(policyname, 'specwright_') LOOP
        EXECUTE format('DROP POLICY %I ON %I.%I', managed.policyname, managed.schemaname, managed.tablename);
      END LOOP;
      FOR managed IN SELECT attrelid\:\:regclass AS place, attname FROM pg_attrdef
        JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE pg_get_expr(adbin, adrelid) ~ 'specwright[.](caller|tenant)' LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', managed.place, managed.attname);
      END LOOP;
      DROP SCHEMA IF EXISTS specwright_definer CASCADE;
      DROP SCHEMA IF EXISTS specwright_callable CASCADE;
    END
    $specwright$
    """)
    op.drop_constraint('fk_deals_contact_id', 'deals')
    op.drop_constraint('fk_deals_organization_id', 'deals')
    op.drop_constraint('fk_contacts_organization_id', 'contacts')
    op.drop_constraint('fk_memberships_organization_id', 'memberships')
    op.drop_index('ix_deals_contact_id', table_name='deals')
    op.drop_index('ix_deals_organization_id_seller_id_created_at_id', table_name='deals')
    op.drop_index('ix_deals_organization_id_created_at_id', table_name='deals')
    op.drop_index('ix_contacts_organization_id_created_at_id', table_name='contacts')
    op.drop_index('ix_memberships_user_id', table_name='memberships')
    op.drop_index('ix_memberships_organization_id_created_at_id', table_name='memberships')
    op.drop_index('ix_organizations_created_at_id', table_name='organizations')
    op.drop_table('deals')
    op.drop_table('contacts')
    op.drop_table('memberships')
    op.drop_table('organizations')
