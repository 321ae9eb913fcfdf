-- read, by a member of the project
-- $1 key, $2 caller_text
SELECT t.version AS version, CAST(row_to_json(item) AS TEXT) AS item
FROM tasks AS t, LATERAL (SELECT t.id AS id, t.title AS title, to_char(timezone('UTC', t.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item
WHERE t.id = $1::UUID AND (t.owner_id = $2::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_1, tasks AS tasks_1
WHERE projects_1.id = t.project_id AND tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $2::VARCHAR)));

-- read, by an admin
-- $1 key
SELECT t.version AS version, CAST(row_to_json(item) AS TEXT) AS item
FROM tasks AS t, LATERAL (SELECT t.id AS id, t.title AS title, to_char(timezone('UTC', t.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item
WHERE t.id = $1::UUID;

-- list, by anyone
-- $1 limit
SELECT array_to_string((array_agg(listed.item ORDER BY listed.k0 DESC, listed.k1 DESC))[1:$1::BIGINT - 1], ',') AS items, count(*) = $1::BIGINT AS more, (array_agg(listed.k0 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k0, (array_agg(listed.k1 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k1
FROM (SELECT CAST(row_to_json(item) AS TEXT) AS item, page.created_at AS k0, page.id AS k1
FROM (SELECT t.id AS id, t.title AS title, t.due AS due, t.created_at AS created_at
FROM tasks AS t
WHERE t.owner_id = 'everyone' ORDER BY t.created_at DESC, t.id DESC
LIMIT $1::BIGINT) AS page, LATERAL (SELECT page.id AS id, page.title AS title, to_char(timezone('UTC', page.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item) AS listed;

-- list, by an admin, after a cursor
-- $1 limit, $2 after0, $3 after1
SELECT array_to_string((array_agg(listed.item ORDER BY listed.k0 DESC, listed.k1 DESC))[1:$1::BIGINT - 1], ',') AS items, count(*) = $1::BIGINT AS more, (array_agg(listed.k0 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k0, (array_agg(listed.k1 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k1
FROM (SELECT CAST(row_to_json(item) AS TEXT) AS item, page.created_at AS k0, page.id AS k1
FROM (SELECT t.id AS id, t.title AS title, t.due AS due, t.created_at AS created_at
FROM tasks AS t
WHERE true AND row(t.created_at, t.id) < row($2::TIMESTAMP WITH TIME ZONE, $3::UUID) ORDER BY t.created_at DESC, t.id DESC
LIMIT $1::BIGINT) AS page, LATERAL (SELECT page.id AS id, page.title AS title, to_char(timezone('UTC', page.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item) AS listed;

-- list, filtered, counted, from an offset
-- $1 limit, $2 filter0, $3 filter1, $4 filter3, $5 offset
SELECT array_to_string((array_agg(listed.item ORDER BY listed.k0 DESC, listed.k1 DESC))[1:$1::BIGINT - 1], ',') AS items, count(*) = $1::BIGINT AS more, (array_agg(listed.k0 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k0, (array_agg(listed.k1 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k1, (SELECT count(*) AS count_1
FROM tasks AS t
WHERE t.owner_id = 'everyone' AND t.priority >= $2::BIGINT AND strpos(t.title COLLATE "C", $3::VARCHAR COLLATE "C") > 0 AND t.due IS NULL AND t.title IS DISTINCT FROM $4::VARCHAR) AS total
FROM (SELECT CAST(row_to_json(item) AS TEXT) AS item, page.created_at AS k0, page.id AS k1
FROM (SELECT t.id AS id, t.title AS title, t.due AS due, t.created_at AS created_at
FROM tasks AS t
WHERE t.owner_id = 'everyone' AND t.priority >= $2::BIGINT AND strpos(t.title COLLATE "C", $3::VARCHAR COLLATE "C") > 0 AND t.due IS NULL AND t.title IS DISTINCT FROM $4::VARCHAR ORDER BY t.created_at DESC, t.id DESC
LIMIT $1::BIGINT OFFSET $5::BIGINT) AS page, LATERAL (SELECT page.id AS id, page.title AS title, to_char(timezone('UTC', page.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item) AS listed;

-- list, by a nullable field, after a null
-- $1 limit, $2 after1
SELECT array_to_string((array_agg(listed.item ORDER BY listed.k0 DESC, listed.k1 DESC))[1:$1::BIGINT - 1], ',') AS items, count(*) = $1::BIGINT AS more, (array_agg(listed.k0 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k0, (array_agg(listed.k1 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k1
FROM (SELECT CAST(row_to_json(item) AS TEXT) AS item, page.due AS k0, page.id AS k1
FROM (SELECT t.id AS id, t.title AS title, t.due AS due
FROM tasks AS t
WHERE true AND (t.due IS NOT NULL OR t.due IS NULL AND (t.id < $2::UUID OR false)) ORDER BY t.due DESC, t.id DESC
LIMIT $1::BIGINT) AS page, LATERAL (SELECT page.id AS id, page.title AS title, to_char(timezone('UTC', page.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item) AS listed;

-- list, by a nullable field, after a value
-- $1 limit, $2 after0, $3 after1
SELECT array_to_string((array_agg(listed.item ORDER BY listed.k0 DESC, listed.k1 DESC))[1:$1::BIGINT - 1], ',') AS items, count(*) = $1::BIGINT AS more, (array_agg(listed.k0 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k0, (array_agg(listed.k1 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k1
FROM (SELECT CAST(row_to_json(item) AS TEXT) AS item, page.due AS k0, page.id AS k1
FROM (SELECT t.id AS id, t.title AS title, t.due AS due
FROM tasks AS t
WHERE true AND (t.due < $2::TIMESTAMP WITH TIME ZONE OR t.due = $2::TIMESTAMP WITH TIME ZONE AND (t.id < $3::UUID OR false)) ORDER BY t.due DESC, t.id DESC
LIMIT $1::BIGINT) AS page, LATERAL (SELECT page.id AS id, page.title AS title, to_char(timezone('UTC', page.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS item) AS listed;

-- create, by an admin
-- $1 new_title, $2 new_priority, $3 new_due, $4 new_project, $5 caller_text
WITH "new" AS
(SELECT CAST((overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid AS UUID) AS id, $1::VARCHAR AS title, $2::BIGINT AS priority, $3::TIMESTAMP WITH TIME ZONE AS due, $4::UUID AS project_id, $5::VARCHAR AS owner_id, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS created_at, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS updated_at, CAST(1 AS BIGINT) AS version),
written AS
(INSERT INTO tasks (id, title, priority, due, project_id, owner_id, created_at, updated_at, version) SELECT "new".id AS id, "new".title AS title, "new".priority AS priority, "new".due AS due, "new".project_id AS project_id, "new".owner_id AS owner_id, "new".created_at AS created_at, "new".updated_at AS updated_at, "new".version AS version
FROM "new"
WHERE ($4::UUID IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = "new".project_id AND (projects_1.owner_id = $5::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $5::VARCHAR)))))) AND ("new".due IS NULL OR "new".due > transaction_timestamp()) RETURNING tasks.id, tasks.title, tasks.priority, tasks.due, tasks.project_id, tasks.owner_id, tasks.created_at, tasks.updated_at, tasks.version)
SELECT CAST(written.id AS TEXT) AS key, written.version AS version, CASE WHEN true THEN CAST(row_to_json(item) AS TEXT) END AS item
FROM written, LATERAL (SELECT written.id AS id, written.title AS title, written.priority AS priority, to_char(timezone('UTC', written.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, written.project_id AS project_id, written.owner_id AS owner_id, to_char(timezone('UTC', written.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', written.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;

-- update, by an admin
-- $1 set_title, $2 new_title, $3 set_priority, $4 new_priority, $5 set_due, $6 new_due, $7 set_project, $8 new_project, $9 key, $10 caller_text
WITH written AS
(UPDATE tasks SET title=CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE tasks.title END, priority=CASE WHEN $3::BOOLEAN THEN $4::BIGINT ELSE tasks.priority END, due=CASE WHEN $5::BOOLEAN THEN $6::TIMESTAMP WITH TIME ZONE ELSE tasks.due END, project_id=CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END, updated_at=transaction_timestamp(), version=(tasks.version + 1) WHERE tasks.id = $9::UUID AND (NOT $7::BOOLEAN OR CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END IS NOT DISTINCT FROM tasks.project_id OR CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END AND (projects_1.owner_id = $10::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $10::VARCHAR)))))) AND (CASE WHEN $5::BOOLEAN THEN $6::TIMESTAMP WITH TIME ZONE ELSE tasks.due END IS NULL OR CASE WHEN $5::BOOLEAN THEN $6::TIMESTAMP WITH TIME ZONE ELSE tasks.due END > transaction_timestamp()) RETURNING tasks.id, tasks.title, tasks.priority, tasks.due, tasks.project_id, tasks.owner_id, tasks.created_at, tasks.updated_at, tasks.version)
SELECT written.version AS version, CAST(row_to_json(item) AS TEXT) AS item
FROM written, LATERAL (SELECT written.id AS id, written.title AS title, written.priority AS priority, to_char(timezone('UTC', written.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, written.project_id AS project_id, written.owner_id AS owner_id, to_char(timezone('UTC', written.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', written.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;

-- delete, by the owner
-- $1 key, $2 caller_text
DELETE FROM tasks WHERE tasks.id = $1::UUID AND (tasks.owner_id = $2::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_1, tasks AS tasks_1
WHERE projects_1.id = tasks.project_id AND tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $2::VARCHAR))) AND tasks.owner_id = $2::VARCHAR RETURNING 1;

-- why not, of an update by an admin
-- $1 set_project, $2 new_project, $3 caller_text, $4 set_due, $5 new_due, $6 key
SELECT true IS true AS readable, true IS true AS granted, true IS true AS "granted after", (NOT $1::BOOLEAN OR CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE tasks.project_id END IS NOT DISTINCT FROM tasks.project_id OR CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE tasks.project_id END IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE tasks.project_id END AND (projects_1.owner_id = $3::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $3::VARCHAR)))))) IS true AS "reference:4", (CASE WHEN $4::BOOLEAN THEN $5::TIMESTAMP WITH TIME ZONE ELSE tasks.due END IS NULL OR CASE WHEN $4::BOOLEAN THEN $5::TIMESTAMP WITH TIME ZONE ELSE tasks.due END > transaction_timestamp()) IS true AS "rule:0"
FROM tasks
WHERE tasks.id = $6::UUID;

-- update, by the owner or a mate
-- $1 set_title, $2 new_title, $3 set_priority, $4 new_priority, $5 set_due, $6 new_due, $7 set_project, $8 new_project, $9 key, $10 caller_text
WITH written AS
(UPDATE tasks SET title=CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE tasks.title END, priority=CASE WHEN $3::BOOLEAN THEN $4::BIGINT ELSE tasks.priority END, due=CASE WHEN $5::BOOLEAN THEN $6::TIMESTAMP WITH TIME ZONE ELSE tasks.due END, project_id=CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END, updated_at=transaction_timestamp(), version=(tasks.version + 1) WHERE tasks.id = $9::UUID AND (tasks.owner_id = $10::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_1, tasks AS tasks_1
WHERE projects_1.id = tasks.project_id AND tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $10::VARCHAR))) AND (tasks.owner_id = $10::VARCHAR AND tasks.priority < 3 OR (EXISTS (SELECT 1
FROM projects AS projects_2, tasks AS tasks_2
WHERE projects_2.id = tasks.project_id AND tasks_2.project_id = projects_2.id AND tasks_2.owner_id = $10::VARCHAR))) AND (NOT $7::BOOLEAN OR CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END IS NOT DISTINCT FROM tasks.project_id OR CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_3
WHERE projects_3.id = CASE WHEN $7::BOOLEAN THEN $8::UUID ELSE tasks.project_id END AND (projects_3.owner_id = $10::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_3
WHERE tasks_3.project_id = projects_3.id AND tasks_3.owner_id = $10::VARCHAR)))))) AND (CASE WHEN $5::BOOLEAN THEN $6::TIMESTAMP WITH TIME ZONE ELSE tasks.due END IS NULL OR CASE WHEN $5::BOOLEAN THEN $6::TIMESTAMP WITH TIME ZONE ELSE tasks.due END > transaction_timestamp()) RETURNING tasks.id, tasks.title, tasks.priority, tasks.due, tasks.project_id, tasks.owner_id, tasks.created_at, tasks.updated_at, tasks.version)
SELECT written.version AS version, CAST(row_to_json(item) AS TEXT) AS item
FROM written, LATERAL (SELECT written.id AS id, written.title AS title, written.priority AS priority, to_char(timezone('UTC', written.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, written.project_id AS project_id, written.owner_id AS owner_id, to_char(timezone('UTC', written.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', written.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;

-- its confirmation
-- $1 caller_text, $2 key
SELECT ((tasks.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_1, tasks AS tasks_1
WHERE projects_1.id = tasks.project_id AND tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $1::VARCHAR))) AND (tasks.owner_id = $1::VARCHAR AND (EXISTS (SELECT 1
FROM projects AS projects_2
WHERE projects_2.id = tasks.project_id AND projects_2.owner_id = $1::VARCHAR)) OR (EXISTS (SELECT 1
FROM projects AS projects_3, tasks AS tasks_2
WHERE projects_3.id = tasks.project_id AND tasks_2.project_id = projects_3.id AND tasks_2.owner_id = $1::VARCHAR)) AND tasks.priority IS NOT NULL)) IS true AS "granted after", CAST(tasks.id AS TEXT) AS key, tasks.version AS version, CASE WHEN (tasks.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_4, tasks AS tasks_3
WHERE projects_4.id = tasks.project_id AND tasks_3.project_id = projects_4.id AND tasks_3.owner_id = $1::VARCHAR))) THEN CAST(row_to_json(item) AS TEXT) END AS item
FROM tasks, LATERAL (SELECT tasks.id AS id, tasks.title AS title, tasks.priority AS priority, to_char(timezone('UTC', tasks.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, tasks.project_id AS project_id, tasks.owner_id AS owner_id, to_char(timezone('UTC', tasks.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', tasks.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item
WHERE tasks.id = $2::UUID;

-- create of many, by an admin
-- $1 caller_text, $2 rows
WITH "new" AS
(SELECT CAST((overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid AS UUID) AS id, sent.title AS title, sent.priority AS priority, sent.due AS due, sent.project_id AS project_id, $1::VARCHAR AS owner_id, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS created_at, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS updated_at, CAST(1 AS BIGINT) AS version, sent._place AS _place
FROM jsonb_to_recordset($2::JSONB) AS sent(_place BIGINT, title TEXT, priority BIGINT, due TIMESTAMP WITH TIME ZONE, project_id UUID)),
written AS
(INSERT INTO tasks (id, title, priority, due, project_id, owner_id, created_at, updated_at, version) SELECT "new".id AS id, "new".title AS title, "new".priority AS priority, "new".due AS due, "new".project_id AS project_id, "new".owner_id AS owner_id, "new".created_at AS created_at, "new".updated_at AS updated_at, "new".version AS version
FROM "new"
WHERE NOT (EXISTS (SELECT 1
FROM "new" AS each
WHERE ((each.project_id IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = each.project_id AND (projects_1.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $1::VARCHAR)))))) AND (each.due IS NULL OR each.due > transaction_timestamp())) IS NOT true)) ORDER BY "new"._place RETURNING tasks.id, tasks.title, tasks.priority, tasks.due, tasks.project_id, tasks.owner_id, tasks.created_at, tasks.updated_at, tasks.version),
made AS
(SELECT written.id AS id, written.title AS title, written.priority AS priority, written.due AS due, written.project_id AS project_id, written.owner_id AS owner_id, written.created_at AS created_at, written.updated_at AS updated_at, written.version AS version, "new"._place AS _place
FROM written JOIN "new" ON written.id = "new".id)
SELECT string_agg(CASE WHEN true THEN CAST(row_to_json(item) AS TEXT) ELSE '{}' END, ',' ORDER BY made._place) AS items
FROM made, LATERAL (SELECT made.id AS id, made.title AS title, made.priority AS priority, to_char(timezone('UTC', made.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, made.project_id AS project_id, made.owner_id AS owner_id, to_char(timezone('UTC', made.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', made.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;

-- why not, of that
-- $1 caller_text, $2 rows
WITH "new" AS
(SELECT CAST((overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid AS UUID) AS id, sent.title AS title, sent.priority AS priority, sent.due AS due, sent.project_id AS project_id, $1::VARCHAR AS owner_id, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS created_at, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS updated_at, CAST(1 AS BIGINT) AS version, sent._place AS _place
FROM jsonb_to_recordset($2::JSONB) AS sent(_place BIGINT, title TEXT, priority BIGINT, due TIMESTAMP WITH TIME ZONE, project_id UUID))
SELECT true IS true AS granted, (each.project_id IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = each.project_id AND (projects_1.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $1::VARCHAR)))))) IS true AS "reference:4", (each.due IS NULL OR each.due > transaction_timestamp()) IS true AS "rule:0", each._place AS place
FROM "new" AS each
WHERE ((each.project_id IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_2
WHERE projects_2.id = each.project_id AND (projects_2.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_2
WHERE tasks_2.project_id = projects_2.id AND tasks_2.owner_id = $1::VARCHAR)))))) AND (each.due IS NULL OR each.due > transaction_timestamp())) IS NOT true ORDER BY each._place
LIMIT 50;

-- which of many is taken
-- $1 caller_text, $2 rows
WITH "new" AS
(SELECT CAST((overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid AS UUID) AS id, sent.title AS title, sent.priority AS priority, sent.due AS due, sent.project_id AS project_id, $1::VARCHAR AS owner_id, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS created_at, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS updated_at, CAST(1 AS BIGINT) AS version, sent._place AS _place
FROM jsonb_to_recordset($2::JSONB) AS sent(_place BIGINT, title TEXT, priority BIGINT, due TIMESTAMP WITH TIME ZONE, project_id UUID))
SELECT min(each._place) AS place
FROM "new" AS each
WHERE (EXISTS (SELECT 1
FROM tasks
WHERE tasks.title = each.title AND tasks.project_id = each.project_id)) OR (EXISTS (SELECT 1
FROM "new" AS earlier
WHERE earlier.title = each.title AND earlier.project_id = each.project_id AND earlier._place < each._place));

-- create of many, by the owner
-- $1 caller_text, $2 rows
WITH "new" AS
(SELECT CAST((overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid AS UUID) AS id, sent.title AS title, sent.priority AS priority, sent.due AS due, sent.project_id AS project_id, $1::VARCHAR AS owner_id, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS created_at, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS updated_at, CAST(1 AS BIGINT) AS version, sent._place AS _place
FROM jsonb_to_recordset($2::JSONB) AS sent(_place BIGINT, title TEXT, priority BIGINT, due TIMESTAMP WITH TIME ZONE, project_id UUID)),
written AS
(INSERT INTO tasks (id, title, priority, due, project_id, owner_id, created_at, updated_at, version) SELECT "new".id AS id, "new".title AS title, "new".priority AS priority, "new".due AS due, "new".project_id AS project_id, "new".owner_id AS owner_id, "new".created_at AS created_at, "new".updated_at AS updated_at, "new".version AS version
FROM "new"
WHERE NOT (EXISTS (SELECT 1
FROM "new" AS each
WHERE (each.owner_id = $1::VARCHAR AND (each.project_id IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = each.project_id AND (projects_1.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $1::VARCHAR)))))) AND (each.due IS NULL OR each.due > transaction_timestamp())) IS NOT true)) ORDER BY "new"._place RETURNING tasks.id, tasks.title, tasks.priority, tasks.due, tasks.project_id, tasks.owner_id, tasks.created_at, tasks.updated_at, tasks.version),
made AS
(SELECT written.id AS id, written.title AS title, written.priority AS priority, written.due AS due, written.project_id AS project_id, written.owner_id AS owner_id, written.created_at AS created_at, written.updated_at AS updated_at, written.version AS version, "new"._place AS _place
FROM written JOIN "new" ON written.id = "new".id)
SELECT array_agg(made.id ORDER BY made._place) AS keys
FROM made;

-- the confirmation of many
-- $1 caller_text, $2 keys, $3 rows
SELECT made.place AS place, CASE WHEN (tasks.owner_id = $1::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_1, tasks AS tasks_1
WHERE projects_1.id = tasks.project_id AND tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $1::VARCHAR))) THEN CAST(row_to_json(item) AS TEXT) ELSE '{}' END AS item
FROM unnest($2::UUID[]) WITH ORDINALITY AS made(key, place) JOIN tasks ON tasks.id = made.key JOIN jsonb_to_recordset($3::JSONB) AS sent(_place BIGINT, title TEXT, priority BIGINT, due TIMESTAMP WITH TIME ZONE, project_id UUID) ON sent._place = made.place, LATERAL (SELECT tasks.id AS id, tasks.title AS title, tasks.priority AS priority, to_char(timezone('UTC', tasks.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, tasks.project_id AS project_id, tasks.owner_id AS owner_id, to_char(timezone('UTC', tasks.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', tasks.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item ORDER BY made.place;

-- update of many, by an admin
-- $1 filter0, $2 most, $3 set_title, $4 new_title, $5 set_priority, $6 new_priority, $7 set_due, $8 new_due, $9 set_project, $10 new_project, $11 caller_text
WITH matched AS
(SELECT t.id AS id, t.title AS title, t.priority AS priority, t.due AS due, t.project_id AS project_id, t.owner_id AS owner_id, t.created_at AS created_at, t.updated_at AS updated_at, t.version AS version
FROM tasks AS t
WHERE t.owner_id = 'everyone' AND t.priority >= $1::BIGINT ORDER BY t.id
LIMIT $2::BIGINT FOR UPDATE OF t),
written AS
(UPDATE tasks SET title=CASE WHEN $3::BOOLEAN THEN $4::VARCHAR ELSE tasks.title END, priority=CASE WHEN $5::BOOLEAN THEN $6::BIGINT ELSE tasks.priority END, due=CASE WHEN $7::BOOLEAN THEN $8::TIMESTAMP WITH TIME ZONE ELSE tasks.due END, project_id=CASE WHEN $9::BOOLEAN THEN $10::UUID ELSE tasks.project_id END, updated_at=transaction_timestamp(), version=(tasks.version + 1) FROM matched WHERE tasks.id = matched.id AND (SELECT count(*) AS count_3
FROM matched) < $2::BIGINT AND NOT (EXISTS (SELECT 1
FROM matched
WHERE ((NOT $9::BOOLEAN OR CASE WHEN $9::BOOLEAN THEN $10::UUID ELSE matched.project_id END IS NOT DISTINCT FROM matched.project_id OR CASE WHEN $9::BOOLEAN THEN $10::UUID ELSE matched.project_id END IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = CASE WHEN $9::BOOLEAN THEN $10::UUID ELSE matched.project_id END AND (projects_1.owner_id = $11::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $11::VARCHAR)))))) AND (CASE WHEN $7::BOOLEAN THEN $8::TIMESTAMP WITH TIME ZONE ELSE matched.due END IS NULL OR CASE WHEN $7::BOOLEAN THEN $8::TIMESTAMP WITH TIME ZONE ELSE matched.due END > transaction_timestamp())) IS NOT true)) RETURNING tasks.id, tasks.title, tasks.priority, tasks.due, tasks.project_id, tasks.owner_id, tasks.created_at, tasks.updated_at, tasks.version)
SELECT (SELECT count(*) AS count_1
FROM matched) AS matched, (SELECT count(*) AS count_2
FROM written) AS affected;

-- why not, of that update
-- $1 set_project, $2 new_project, $3 caller_text, $4 set_due, $5 new_due, $6 filter0, $7 most
WITH matched AS
(SELECT t.id AS id, t.title AS title, t.priority AS priority, t.due AS due, t.project_id AS project_id, t.owner_id AS owner_id, t.created_at AS created_at, t.updated_at AS updated_at, t.version AS version
FROM tasks AS t
WHERE t.owner_id = 'everyone' AND t.priority >= $6::BIGINT ORDER BY t.id
LIMIT $7::BIGINT)
SELECT true IS true AS granted, true IS true AS "granted after", (NOT $1::BOOLEAN OR CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE matched.project_id END IS NOT DISTINCT FROM matched.project_id OR CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE matched.project_id END IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE matched.project_id END AND (projects_1.owner_id = $3::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $3::VARCHAR)))))) IS true AS "reference:4", (CASE WHEN $4::BOOLEAN THEN $5::TIMESTAMP WITH TIME ZONE ELSE matched.due END IS NULL OR CASE WHEN $4::BOOLEAN THEN $5::TIMESTAMP WITH TIME ZONE ELSE matched.due END > transaction_timestamp()) IS true AS "rule:0", CAST(matched.id AS TEXT) AS id
FROM matched
WHERE ((NOT $1::BOOLEAN OR CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE matched.project_id END IS NOT DISTINCT FROM matched.project_id OR CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE matched.project_id END IS NULL OR (EXISTS (SELECT 1
FROM projects AS projects_1
WHERE projects_1.id = CASE WHEN $1::BOOLEAN THEN $2::UUID ELSE matched.project_id END AND (projects_1.owner_id = $3::VARCHAR OR (EXISTS (SELECT 1
FROM tasks AS tasks_1
WHERE tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $3::VARCHAR)))))) AND (CASE WHEN $4::BOOLEAN THEN $5::TIMESTAMP WITH TIME ZONE ELSE matched.due END IS NULL OR CASE WHEN $4::BOOLEAN THEN $5::TIMESTAMP WITH TIME ZONE ELSE matched.due END > transaction_timestamp())) IS NOT true ORDER BY matched.id
LIMIT 50;

-- delete of many, by the owner
-- $1 filter0, $2 most, $3 caller_text
WITH matched AS
(SELECT t.id AS id, t.title AS title, t.priority AS priority, t.due AS due, t.project_id AS project_id, t.owner_id AS owner_id, t.created_at AS created_at, t.updated_at AS updated_at, t.version AS version
FROM tasks AS t
WHERE t.owner_id = 'everyone' AND t.priority >= $1::BIGINT ORDER BY t.id
LIMIT $2::BIGINT FOR UPDATE OF t),
written AS
(DELETE FROM tasks USING matched WHERE tasks.id = matched.id AND (SELECT count(*) AS count_3
FROM matched) < $2::BIGINT AND NOT (EXISTS (SELECT 1
FROM matched
WHERE ((matched.owner_id = $3::VARCHAR OR (EXISTS (SELECT 1
FROM projects AS projects_1, tasks AS tasks_1
WHERE projects_1.id = matched.project_id AND tasks_1.project_id = projects_1.id AND tasks_1.owner_id = $3::VARCHAR))) AND matched.owner_id = $3::VARCHAR) IS NOT true)) RETURNING 1 AS one)
SELECT (SELECT count(*) AS count_1
FROM matched) AS matched, (SELECT count(*) AS count_2
FROM written) AS affected;

-- the rows of that, locked
-- $1 filter0, $2 most
WITH matched AS
(SELECT t.id AS id, t.title AS title, t.priority AS priority, t.due AS due, t.project_id AS project_id, t.owner_id AS owner_id, t.created_at AS created_at, t.updated_at AS updated_at, t.version AS version
FROM tasks AS t
WHERE t.owner_id = 'everyone' AND t.priority >= $1::BIGINT ORDER BY t.id
LIMIT $2::BIGINT FOR UPDATE OF t)
SELECT matched.id AS key
FROM matched ORDER BY matched.id;

-- list, by a count, after a cursor
-- $1 limit, $2 caller_text, $3 filter0, $4 after0, $5 after1
SELECT array_to_string((array_agg(listed.item ORDER BY listed.k0 DESC, listed.k1 DESC))[1:$1::BIGINT - 1], ',') AS items, count(*) = $1::BIGINT AS more, (array_agg(listed.k0 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k0, (array_agg(listed.k1 ORDER BY listed.k0 DESC, listed.k1 DESC))[($1::BIGINT - 1)] AS k1
FROM (SELECT CAST(row_to_json(item) AS TEXT) AS item, page._k0 AS k0, page.id AS k1
FROM (SELECT t.id AS id, t.due AS due, (SELECT CAST(count(*) AS NUMERIC) AS count_1
FROM remarks AS remarks_1
WHERE remarks_1.note_id = t.id AND remarks_1.text IS DISTINCT FROM 'x') AS _k0
FROM notes AS t
WHERE t.owner_id = $2::VARCHAR AND ((t.due < transaction_timestamp()) IS true) = $3::BOOLEAN AND row((SELECT CAST(count(*) AS NUMERIC) AS count_1
FROM remarks AS remarks_1
WHERE remarks_1.note_id = t.id AND remarks_1.text IS DISTINCT FROM 'x'), t.id) < row($4::NUMERIC, $5::UUID) ORDER BY (SELECT CAST(count(*) AS NUMERIC) AS count_1
FROM remarks AS remarks_1
WHERE remarks_1.note_id = t.id AND remarks_1.text IS DISTINCT FROM 'x') DESC, t.id DESC
LIMIT $1::BIGINT) AS page, LATERAL (SELECT page.id AS id, (page.due < transaction_timestamp()) IS true AS late, (SELECT CAST(count(*) AS NUMERIC) AS count_2
FROM remarks AS remarks_2
WHERE remarks_2.note_id = page.id AND remarks_2.text IS DISTINCT FROM 'x') AS said) AS item) AS listed;

-- create, of what begins somewhere
-- $1 caller_text, $2 new_state, $3 new_due
WITH "new" AS
(SELECT CAST((overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid AS UUID) AS id, $2::VARCHAR AS state, $3::TIMESTAMP WITH TIME ZONE AS due, $1::VARCHAR AS owner_id, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS created_at, CAST(transaction_timestamp() AS TIMESTAMP WITH TIME ZONE) AS updated_at, CAST(1 AS BIGINT) AS version),
written AS
(INSERT INTO notes (id, state, due, owner_id, created_at, updated_at, version) SELECT "new".id AS id, "new".state AS state, "new".due AS due, "new".owner_id AS owner_id, "new".created_at AS created_at, "new".updated_at AS updated_at, "new".version AS version
FROM "new"
WHERE "new".owner_id = $1::VARCHAR AND "new".state = 'new' RETURNING notes.id, notes.state, notes.due, notes.owner_id, notes.created_at, notes.updated_at, notes.version)
SELECT CAST(written.id AS TEXT) AS key, written.version AS version, CASE WHEN (written.owner_id = $1::VARCHAR) THEN CAST(row_to_json(item) AS TEXT) END AS item
FROM written, LATERAL (SELECT written.id AS id, written.state AS state, (written.due < transaction_timestamp()) IS true AS late, (SELECT CAST(count(*) AS NUMERIC) AS count_1
FROM remarks AS remarks_1
WHERE remarks_1.note_id = written.id AND remarks_1.text IS DISTINCT FROM 'x') AS said, to_char(timezone('UTC', written.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, written.owner_id AS owner_id, to_char(timezone('UTC', written.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', written.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;

-- a move, by the owner
-- $1 set_state, $2 new_state, $3 key, $4 caller_text
WITH written AS
(UPDATE notes SET state=CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END, updated_at=transaction_timestamp(), version=(notes.version + 1) WHERE notes.id = $3::UUID AND notes.owner_id = $4::VARCHAR AND notes.owner_id = $4::VARCHAR AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = notes.state OR NOT (notes.state = 'new' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'new' OR CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'shut')) OR (notes.state = 'new' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'new') AND notes.owner_id = $4::VARCHAR OR false) AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = notes.state OR notes.state = 'new' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'new' OR CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'shut')) RETURNING notes.id, notes.state, notes.due, notes.owner_id, notes.created_at, notes.updated_at, notes.version)
SELECT written.version AS version, CAST(row_to_json(item) AS TEXT) AS item
FROM written, LATERAL (SELECT written.id AS id, written.state AS state, (written.due < transaction_timestamp()) IS true AS late, (SELECT CAST(count(*) AS NUMERIC) AS count_1
FROM remarks AS remarks_1
WHERE remarks_1.note_id = written.id AND remarks_1.text IS DISTINCT FROM 'x') AS said, to_char(timezone('UTC', written.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, written.owner_id AS owner_id, to_char(timezone('UTC', written.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', written.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;

-- why not, of that move
-- $1 caller_text, $2 set_state, $3 new_state, $4 key
SELECT (notes.owner_id = $1::VARCHAR) IS true AS readable, (notes.owner_id = $1::VARCHAR) IS true AS granted, (notes.owner_id = $1::VARCHAR) IS true AS "granted after", (CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = notes.state OR NOT (notes.state = 'new' AND CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND (CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'new' OR CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'shut')) OR (notes.state = 'new' AND CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'new') AND notes.owner_id = $1::VARCHAR OR false) IS true AS "mover:1", (CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = notes.state OR notes.state = 'new' AND CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND (CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'new' OR CASE WHEN $2::BOOLEAN THEN $3::VARCHAR ELSE notes.state END = 'shut')) IS true AS "move:1", notes.state AS "state:1"
FROM notes
WHERE notes.id = $4::UUID;

-- an update that may be a move, by an admin
-- $1 set_state, $2 new_state, $3 set_due, $4 new_due, $5 key, $6 caller_text
WITH written AS
(UPDATE notes SET state=CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END, due=CASE WHEN $3::BOOLEAN THEN $4::TIMESTAMP WITH TIME ZONE ELSE notes.due END, updated_at=transaction_timestamp(), version=(notes.version + 1) WHERE notes.id = $5::UUID AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = notes.state OR NOT (notes.state = 'new' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'new' OR CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'shut')) OR (notes.state = 'new' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'new') AND notes.owner_id = $6::VARCHAR OR notes.state = 'seen' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'shut') AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = notes.state OR notes.state = 'new' AND CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'seen' OR notes.state = 'seen' AND (CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'new' OR CASE WHEN $1::BOOLEAN THEN $2::VARCHAR ELSE notes.state END = 'shut')) RETURNING notes.id, notes.state, notes.due, notes.owner_id, notes.created_at, notes.updated_at, notes.version)
SELECT written.version AS version, CAST(row_to_json(item) AS TEXT) AS item
FROM written, LATERAL (SELECT written.id AS id, written.state AS state, (written.due < transaction_timestamp()) IS true AS late, (SELECT CAST(count(*) AS NUMERIC) AS count_1
FROM remarks AS remarks_1
WHERE remarks_1.note_id = written.id AND remarks_1.text IS DISTINCT FROM 'x') AS said, to_char(timezone('UTC', written.due), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due, written.owner_id AS owner_id, to_char(timezone('UTC', written.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at, to_char(timezone('UTC', written.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at) AS item;
