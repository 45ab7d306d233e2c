-- Who may do what in the database; docs/reference/privileges.md tells it to people.
--
-- Run by postgres-start before every start, on the stopped cluster, as its first superuser, with
-- `postgres --single -j`: a statement ends with a semicolon and an empty line. All is one
-- transaction, and each statement may run again, so a start that was killed is simply done again.
-- The passwords follow after it, in statements that are in no file.
--
-- A cluster of a release before there were roles is brought over: its one role, superuser langflix,
-- becomes postgres, which has no password; whoever logs in as langflix, with the password of
-- before, is the owner of what is there, and no superuser. So code of that release goes on.

BEGIN;

SET LOCAL client_min_messages = warning;

-- PostgreSQL lets nobody rename the one who logged in: hence another one for as long as it takes.
DO $$
DECLARE
    superuser name := (SELECT rolname FROM pg_roles WHERE oid = 10);
BEGIN
    IF superuser <> 'postgres' THEN
        CREATE ROLE renaming SUPERUSER;
        SET SESSION AUTHORIZATION renaming;
        EXECUTE format('ALTER ROLE %I RENAME TO postgres', superuser);
        SET SESSION AUTHORIZATION postgres;
        DROP ROLE renaming;
    END IF;
END $$;

ALTER ROLE postgres PASSWORD NULL;

-- langflix_owner, langflix_app, langflix_read: rights, nobody logs in as them.
-- langflix: migrations, and the dump. langflix_app_a, langflix_app_b: the application, by turns:
-- a new password is that of the other one, so that old and new are valid side by side.
DO $$
DECLARE
    role name;
BEGIN
    FOREACH role IN ARRAY ARRAY[
        'langflix_owner', 'langflix_app', 'langflix_read',
        'langflix', 'langflix_app_a', 'langflix_app_b'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I %s INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS',
            role,
            CASE WHEN role IN ('langflix_owner', 'langflix_app', 'langflix_read')
            THEN 'NOLOGIN' ELSE 'LOGIN' END
        );
    END LOOP;
END $$;

-- What a migration makes belongs to the owner, whoever made it: langflix takes its part at once.
GRANT langflix_owner TO langflix;

ALTER ROLE langflix SET role = 'langflix_owner';

-- The dump reads as one who can do nothing else.
GRANT pg_read_all_data TO langflix_read;

GRANT langflix_read TO langflix;

-- A restore ends the sessions that are in its way, and a migration says who is; both have to see
-- those of others.
GRANT pg_signal_backend, pg_read_all_stats TO langflix_owner;

GRANT langflix_app TO langflix_app_a, langflix_app_b WITH INHERIT TRUE, SET FALSE;

-- Who was a member of more than this by hand is so no longer.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT had.rolname AS role, who.rolname AS member FROM pg_auth_members
        JOIN pg_roles AS had ON had.oid = roleid JOIN pg_roles AS who ON who.oid = member
        WHERE who.rolname IN ('langflix_app', 'langflix_app_a', 'langflix_app_b', 'langflix_read')
        AND (had.rolname <> 'langflix_app' OR who.rolname NOT LIKE 'langflix\_app\__')
        AND (had.rolname <> 'pg_read_all_data' OR who.rolname <> 'langflix_read')
    LOOP
        EXECUTE format('REVOKE %I FROM %I', found.role, found.member);
    END LOOP;
END $$;

ALTER DATABASE langflix OWNER TO langflix_owner;

REVOKE ALL ON DATABASE langflix, postgres, template1 FROM PUBLIC;

GRANT CONNECT ON DATABASE langflix TO langflix, langflix_app, langflix_read;

-- What a superuser made in the application's schemas becomes the owner's.
DO $$
DECLARE
    owner oid := 'langflix_owner'::regrole;
    found record;
BEGIN
    FOR found IN
        SELECT format('SCHEMA %I', nspname) AS what FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
        AND nspowner <> owner
    LOOP
        EXECUTE format('ALTER %s OWNER TO langflix_owner', found.what);
    END LOOP;
    FOR found IN
        SELECT format('%s %s', kind, name) AS what FROM (
            SELECT CASE relkind
                WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind,
            oid::regclass::text AS name, relnamespace AS schema, 'pg_class'::regclass AS catalog,
            oid AS id, relowner AS owned_by
            FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
            UNION ALL
            SELECT 'ROUTINE', oid::regprocedure::text, pronamespace, 'pg_proc'::regclass, oid,
            proowner FROM pg_proc
            UNION ALL
            SELECT 'TYPE', oid::regtype::text, typnamespace, 'pg_type'::regclass, oid, typowner
            FROM pg_type WHERE typtype IN ('e', 'd', 'r')
        ) AS objects
        WHERE owned_by <> owner
        AND schema IN (
            SELECT oid FROM pg_namespace
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        )
        -- A table's own sequences follow it; an extension's members stay the extension's.
        AND NOT EXISTS (
            SELECT FROM pg_depend WHERE classid = catalog AND objid = id
            AND (deptype = 'e' OR kind = 'SEQUENCE' AND deptype IN ('a', 'i'))
        )
    LOOP
        EXECUTE format('ALTER %s OWNER TO langflix_owner', found.what);
    END LOOP;
END $$;

-- Rows for the application, nothing for anybody else. What the database remembers of its own shape
-- is for migrations to write; `langflix migrate` gives the same rights on what it makes.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO PUBLIC;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, langflix_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO langflix_app;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO langflix_app;

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['alembic_version', 'revision_history'] LOOP
        IF to_regclass('public.' || kept) IS NOT NULL THEN
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON public.%I FROM langflix_app', kept);
        END IF;
    END LOOP;
END $$;

COMMIT;

