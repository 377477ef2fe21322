"""The admin API: /admin/api/**, for the console and for scripts of administrators.

A route, from top to bottom:

    @patch(
        "/admin/api/things/{id:str}",
        before_request=require_session,                    # 401; every route but the log-in
        opt=admits("env:manage", Operation(summary=…, tag="Admin", body=ThingUpdate, answers=…)),
    )
    async def update_thing(request: Request) -> Reply:
        wanted = await request.decode(_UPDATE)             # 400: all of body and query first,
        admin = admit(request)                             # 403: then the route's own capability,
        found = await request.services.things.update(admin, request.path_value("id"), wanted)   # 404, 409
        return replies.json(found)

- The header against forged requests is looked at by app.api.edge, before routing; nothing to do here.
- A list: `limit = PAGE.of(query)` and `before = parameters.place(query)` (app.api.parameters) before
  admit(); `Listing[Shape]`, one row more than the limit tells whether a page follows (app.services.audit).
- The service opens one transaction (`async with acting(pool, admin) as c:`), in which they still are and may
  what they were and might when the request began, or 401 and 403; it writes, and calls
  `audit.insert_entry(c, admin, "thing.update", target=…, environment_slug=…, details=…)` in it. The action
  is one of AuditAction in app.contract.admin. Details say what was asked for, and never hold a key, secret,
  password or payload (of a broadcast, the beginning of its title). What must follow a commit (hints)
  follows it.
- Shapes stand in app/contract/admin*.py; their names must differ from those in app.contract.resources, as
  the OpenAPI document has one name each. Each field needs its word in app/api/openapi/glossary.py.
- Register the handler in app/api/routes.py, and give it a line in tests/app/api/admin/table.py, whose
  make_things() makes what paths and bodies name in braces. The tests of roles, of the order of checks, of
  the header and of the audit take every route from there, and fail for one without.
"""
