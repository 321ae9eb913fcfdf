"""private notes, amounts and a trail

- rename column deals.worth to amount
- create table notes
- add index ix_notes_organization_id_created_at_id to notes
- add index ix_notes_organization_id_author_id_created_at_id to notes
- add index ix_notes_contact_id to notes
- add index ix_notes_deal_id to notes
- add foreign key fk_notes_organization_id to notes
- add foreign key fk_notes_contact_id to notes
- add foreign key fk_notes_deal_id to notes
- write the grants on deals, notes as row-level security policies
- record every change of deals in specwright.audit
"""

import sqlalchemy as sa  # noqa: F401
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
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
    op.execute('ALTER TABLE deals RENAME COLUMN worth TO amount')
    op.execute('ALTER TABLE deals RENAME CONSTRAINT ck_deals_worth_range TO ck_deals_amount_range')
    op.create_table('notes',
    sa.Column('id', sa.Uuid(), server_default=sa.literal_column("(overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid"), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('body', sa.Text(collation='C'), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('deal_id', sa.Uuid(), nullable=True),
    sa.Column('author_id', sa.Text(collation='C'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.literal_column('transaction_timestamp()'), nullable=False),
    sa.Column('version', sa.BigInteger(), server_default=sa.literal_column('1'), nullable=False),
    sa.CheckConstraint(sa.literal_column('(contact_id IS NOT NULL OR deal_id IS NOT NULL) IS true'), name='ck_notes_rule_2'),
    sa.CheckConstraint(sa.literal_column('(contact_id IS NULL OR deal_id IS NULL) IS true'), name='ck_notes_rule_1'),
    sa.CheckConstraint(sa.literal_column('char_length(author_id) BETWEEN 1 AND 255'), name='ck_notes_author_id_length'),
    sa.CheckConstraint(sa.literal_column('char_length(body) BETWEEN 1 AND 5000'), name='ck_notes_body_length'),
    sa.PrimaryKeyConstraint('id', name='pk_notes')
    )
    op.create_index('ix_notes_organization_id_created_at_id', 'notes', ['organization_id', 'created_at', 'id'], unique=False)
    op.create_index('ix_notes_organization_id_author_id_created_at_id', 'notes', ['organization_id', 'author_id', 'created_at', 'id'], unique=False)
    op.create_index('ix_notes_contact_id', 'notes', ['contact_id'], unique=False)
    op.create_index('ix_notes_deal_id', 'notes', ['deal_id'], unique=False)
    op.create_foreign_key('fk_notes_organization_id', 'notes', 'organizations', ['organization_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key('fk_notes_contact_id', 'notes', 'contacts', ['contact_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key('fk_notes_deal_id', 'notes', 'deals', ['deal_id'], ['id'], ondelete='CASCADE')
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
    BEGIN
      CREATE SCHEMA IF NOT EXISTS specwright;
      CREATE TABLE IF NOT EXISTS specwright.audit (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        entity text NOT NULL,
        key text NOT NULL,
        action text NOT NULL,
        caller text,
        roles text[] NOT NULL,
        login text NOT NULL,
        request text,
        before jsonb NOT NULL,
        after jsonb NOT NULL,
        withheld text[] NOT NULL
      );
      CREATE INDEX IF NOT EXISTS audit_of_row ON specwright.audit (entity, key, number);
      CREATE INDEX IF NOT EXISTS audit_at ON specwright.audit (at);
      CREATE OR REPLACE FUNCTION specwright.record_change() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    DECLARE
      old_row jsonb \:= CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
      new_row jsonb \:= CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
      changed text[] \:= ARRAY(
        SELECT field FROM jsonb_object_keys(old_row || new_row) AS field
        WHERE old_row -> field IS DISTINCT FROM new_row -> field AND field <> ALL (ARRAY['updated_at', 'version', '_search']) ORDER BY field);
      secret text[] \:= TG_ARGV[2];
    BEGIN
      INSERT INTO specwright.audit (at, entity, key, action, caller, roles, login, request, before, after, withheld)
      SELECT transaction_timestamp(), TG_ARGV[0],
        CASE WHEN TG_OP = 'INSERT' THEN new_row ELSE old_row END ->> TG_ARGV[1],
        CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
        nullif(current_setting('specwright.caller', true), ''), coalesce(nullif(current_setting('specwright.roles', true), '')\:\:text[], '{}'), session_user, nullif(current_setting('specwright.request', true), ''),
        coalesce((SELECT jsonb_object_agg(field, old_row -> field) FROM unnest(changed) AS field
          WHERE old_row ? field AND field <> ALL (secret)), '{}'),
        coalesce((SELECT jsonb_object_agg(field, new_row -> field) FROM unnest(changed) AS field
          WHERE new_row ? field AND field <> ALL (secret)), '{}'),
        ARRAY(SELECT field FROM unnest(changed) AS field WHERE field = ANY (secret));
      RETURN NULL;
    END
    $function$;
      REVOKE ALL ON FUNCTION specwright.record_change() FROM PUBLIC;
      CREATE OR REPLACE FUNCTION specwright.keep_trail() RETURNS trigger LANGUAGE plpgsql AS $function$
    BEGIN
      RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
        MESSAGE = format('%s of %I.%I is refused\: %s', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]);
    END
    $function$;
      CREATE OR REPLACE TRIGGER specwright_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON specwright.audit
        FOR EACH STATEMENT EXECUTE FUNCTION specwright.keep_trail('rows are added to it, and nothing else');
      CREATE TRIGGER specwright_audit AFTER INSERT OR UPDATE OR DELETE ON deals
        FOR EACH ROW EXECUTE FUNCTION specwright.record_change('Deal', 'id', '{}');
      CREATE TRIGGER specwright_audit_truncate BEFORE TRUNCATE ON deals
        FOR EACH STATEMENT EXECUTE FUNCTION specwright.keep_trail('its changes are audited, row by row');
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
      CREATE VIEW specwright_definer.deals AS SELECT id, organization_id, title, contact_id, amount, margin, stage, expected_on, closed_at, seller_id, created_at, updated_at, version FROM public.deals;
      EXECUTE 'GRANT SELECT ON specwright_definer.deals TO ' || everyone;
      CREATE VIEW specwright_definer.memberships AS SELECT id, organization_id, user_id, role, created_at, updated_at, version FROM public.memberships;
      EXECUTE 'GRANT SELECT ON specwright_definer.memberships TO ' || everyone;
      CREATE VIEW specwright_definer.organizations AS SELECT id, name, created_at, updated_at, version FROM public.organizations;
      EXECUTE 'GRANT SELECT ON specwright_definer.organizations TO ' || everyone;
      FOR wanted IN SELECT * FROM (VALUES
        ('organizations'),
        ('memberships'),
        ('contacts'),
        ('deals'),
        ('notes')
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
    WHERE "D28".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D28".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'') AND "D27".organization_id IS NOT DISTINCT FROM deals.organization_id AND "D27".title IS NOT DISTINCT FROM deals.title AND "D27".contact_id IS NOT DISTINCT FROM deals.contact_id AND "D27".amount IS NOT DISTINCT FROM deals.amount AND "D27".margin IS NOT DISTINCT FROM deals.margin AND "D27".stage IS NOT DISTINCT FROM deals.stage AND "D27".expected_on IS NOT DISTINCT FROM deals.expected_on AND "D27".closed_at IS NOT DISTINCT FROM deals.closed_at AND "D27".created_at IS NOT DISTINCT FROM deals.created_at)) AND (EXISTS (SELECT 1
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
    WHERE "D28".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D28".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IN (''owner'', ''manager'') AND "D27".organization_id IS NOT DISTINCT FROM deals.organization_id AND "D27".title IS NOT DISTINCT FROM deals.title AND "D27".contact_id IS NOT DISTINCT FROM deals.contact_id AND "D27".amount IS NOT DISTINCT FROM deals.amount AND "D27".margin IS NOT DISTINCT FROM deals.margin AND "D27".stage IS NOT DISTINCT FROM deals.stage AND "D27".expected_on IS NOT DISTINCT FROM deals.expected_on AND "D27".closed_at IS NOT DISTINCT FROM deals.closed_at AND "D27".created_at IS NOT DISTINCT FROM deals.created_at)) AND (EXISTS (SELECT 1
    FROM specwright_definer.organizations AS "D29", specwright_definer.memberships AS "D30"
    WHERE "D29".id = deals.organization_id AND "D30".organization_id = "D29".id AND "D30".user_id = deals.seller_id))'),
        ('notes', 'specwright_derived', 'PERMISSIVE', 'ALL', '{"derived"}', 'true', 'true'),
        ('notes', 'specwright_tenant', 'RESTRICTIVE', 'ALL', '{"anyone","signed_in","any"}', 'notes.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D34".id
    FROM specwright_definer.memberships AS "D34"
    WHERE "D34".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D34".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL', 'notes.organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND (SELECT "D34".id
    FROM specwright_definer.memberships AS "D34"
    WHERE "D34".organization_id = nullif(current_setting(''specwright.tenant'', true), '''')\:\:uuid AND "D34".user_id = nullif(current_setting(''specwright.caller'', true), '''')) IS NOT NULL'),
        ('notes', 'specwright_1_select', 'PERMISSIVE', 'SELECT', '{"signed_in","any"}', 'notes.author_id = nullif(current_setting(''specwright.caller'', true), '''')', NULL),
        ('notes', 'specwright_1_insert', 'PERMISSIVE', 'INSERT', '{"signed_in","any"}', NULL, 'notes.author_id = nullif(current_setting(''specwright.caller'', true), '''')'),
        ('notes', 'specwright_1_update', 'PERMISSIVE', 'UPDATE', '{"signed_in","any"}', 'notes.author_id = nullif(current_setting(''specwright.caller'', true), '''')', 'notes.author_id = nullif(current_setting(''specwright.caller'', true), '''')'),
        ('notes', 'specwright_1_delete', 'PERMISSIVE', 'DELETE', '{"signed_in","any"}', 'notes.author_id = nullif(current_setting(''specwright.caller'', true), '''')', NULL)
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
      ALTER TABLE notes ALTER COLUMN organization_id SET DEFAULT nullif(current_setting('specwright.tenant', true), '')\:\:uuid;
      ALTER TABLE notes ALTER COLUMN author_id SET DEFAULT nullif(current_setting('specwright.caller', true), '');

      EXECUTE 'GRANT USAGE ON SCHEMA specwright TO ' || derived;
      EXECUTE 'GRANT SELECT ON ALL TABLES IN SCHEMA specwright TO ' || derived;
      EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA specwright GRANT SELECT ON TABLES TO ' || derived;
      EXECUTE 'GRANT INSERT, UPDATE, DELETE ON specwright.idempotency_keys TO ' || derived;
      IF to_regclass('alembic_version') IS NOT NULL THEN
        EXECUTE 'GRANT SELECT ON alembic_version TO ' || derived;
      END IF;
      COMMENT ON SCHEMA specwright_definer IS 'e2b6bfac6058362f4e01157e5b6a97a4';
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
    op.execute(r"""
    DO $specwright$
    DECLARE
      managed record;
    BEGIN
      FOR managed IN SELECT tgrelid\:\:regclass AS place, tgname FROM pg_trigger
        WHERE tgname IN ('specwright_audit', 'specwright_audit_truncate') AND NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', managed.tgname, managed.place);
      END LOOP;
    END
    $specwright$
    """)
    op.drop_constraint('fk_notes_deal_id', 'notes')
    op.drop_constraint('fk_notes_contact_id', 'notes')
    op.drop_constraint('fk_notes_organization_id', 'notes')
    op.drop_index('ix_notes_deal_id', table_name='notes')
    op.drop_index('ix_notes_contact_id', table_name='notes')
    op.drop_index('ix_notes_organization_id_author_id_created_at_id', table_name='notes')
    op.drop_index('ix_notes_organization_id_created_at_id', table_name='notes')
    op.drop_table('notes')
    op.execute('ALTER TABLE deals RENAME CONSTRAINT ck_deals_amount_range TO ck_deals_worth_range')
    op.execute('ALTER TABLE deals RENAME COLUMN amount TO worth')
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
