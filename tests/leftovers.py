"""What a dropped database leaves on its server."""

#: Drops the database roles, which belong to the whole server and outlive the database that made them.
DROP_ROLES = """DO $$ DECLARE made name; BEGIN
  FOR made IN SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{database}_') LOOP
    EXECUTE format('DROP ROLE %I', made);
  END LOOP;
END $$"""
