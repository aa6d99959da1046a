"""The calls of W&B that a rerun may make: they read, work locally, or log to the rerun's own run.

Pure data. All other calls are held back, so a method that a newer W&B adds publishes nothing.

Source: wandb 0.31; some names are from older versions.
"""

from __future__ import annotations

RUN = frozenset(
    {
        *("log", "finish", "join", "define_metric", "save", "restore", "watch", "unwatch"),
        *("write_logs", "mark_preempting", "pin_config_keys", "status", "display", "to_html"),
        *("use_artifact", "use_model"),
        *("project_name", "get_url", "get_project_url", "get_sweep_url", "plot_table"),
    }
)
"""Methods of ``wandb.Run``."""

MODULE = frozenset(
    {
        *("init", "setup", "attach", "teardown", "finish", "join", "login", "agent", "require"),
        *("restore", "plot_table", "visualize", "box3d", "ensure_configured", "sagemaker_auth"),
        *("termerror", "termlog", "termsetup", "termwarn", "set_trace"),
    }
)
"""Functions of ``wandb`` that are not also methods of a run."""

ARTIFACT = frozenset(
    {
        *("add", "add_dir", "add_file", "add_reference", "new_file", "remove", "finalize"),
        *("checkout", "download", "verify", "wait", "is_draft", "new_draft"),
        *("file", "files", "get", "get_entry", "get_path", "get_added_local_path_name"),
        *("json_encode", "logged_by", "used_by"),
    }
)
"""Methods of ``wandb.Artifact``."""

API = frozenset(
    {
        # Api
        *("flush", "from_path", "projects", "project", "reports", "runs", "run"),
        *("team", "organization", "user", "users", "queued_run", "run_queue", "sweep"),
        *("artifact_types", "artifact_type", "artifact_collections", "artifact_collection"),
        *("artifact_versions", "artifacts", "artifact", "artifact_exists"),
        *("artifact_collection_exists", "job", "list_jobs", "registries", "registry"),
        *("integrations", "webhook_integrations", "slack_integrations"),
        *("automation", "automations"),
        # Runs, their files and their history
        *("load", "load_full_data", "upgrade_to_full", "wait_until_finished"),
        *("files", "file", "download", "console_logs", "to_html"),
        *("history", "histories", "scan_history", "beta_scan_history", "download_history_exports"),
        *("logged_artifacts", "used_artifacts"),
        # A summary's own dictionary; its writes go through HTTPSummary._write
        *("keys", "get", "items", "SummarySubDict.update", "write_h5", "read_h5", "open_h5"),
        # Artifacts, projects, registries, sweeps, queues
        *("collections", "collection", "versions", "is_sequence", "artifacts_types", "sweeps"),
        *("members", "user_members", "team_members"),
        *("agent", "agents", "best_run", "wait_until_running", "set_entrypoint"),
        # Pages of answers and the client itself
        *("next", "convert_objects", "update_variables"),
        *("send_api_request", "send_api_request_async", "execute_graphql", "api_publish"),
        *("authenticate", "access_token", "org_feature_flags", "feature_enabled", "finalize"),
        # Filters, lists and enumerations
        *("filter_to_mongo", "mongo_to_filter", "python_to_mongo", "format_order_key"),
        *("key_to_server_path", "server_path_to_key", "keys_to_order", "order_to_keys"),
        *("front_to_back", "back_to_front", "pc_front_to_back", "pc_back_to_front"),
        *("special_front_to_back", "special_back_to_front", "encode", "from_gql"),
        *("from_python", "from_project_access", "FreezableList.append", "FreezableList.insert"),
        *("FreezableList.remove", "freeze", "AddOnlyArtifactTypesList.remove"),
    }
)
"""Methods of the classes in ``wandb.apis.public``: of any class, or ``Class.method``."""

API_PRIVATE_WRITES: dict[str, tuple[str, ...]] = {
    "Api": ("_create_run",),
    "HTTPSummary": ("_write",),
}
"""Private methods that write, by class: allowed public methods call them."""
