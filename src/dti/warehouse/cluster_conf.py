"""What the embedded PostgreSQL is told: its settings, and who may connect."""

from __future__ import annotations

import os
from pathlib import Path

WHO_MAY_CONNECT = """\
# The project's own, rewritten at every start: over the socket, with a password, and in no other way.
# TYPE  DATABASE  USER  METHOD
local   all       all   scram-sha-256
"""


def configuration(socket_dir: Path) -> str:
    """postgresql.conf for a night on a small machine: safe settings, memory for sorting, no port."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    values: dict[str, str | int] = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_dir).replace('"', '""'),
        "unix_socket_permissions": "0700",
        "max_connections": 200,
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{max(64, min(512, megabytes // 8))}MB",
        "effective_cache_size": f"{max(128, megabytes // 3)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "128MB",
        "wal_compression": "on",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "fsync": "on",
        "synchronous_commit": "on",
        "timezone": "Asia/Ho_Chi_Minh",
        "log_timezone": "Asia/Ho_Chi_Minh",
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_truncate_on_rotation": "on",
        # A statement may carry what must not be in a log; its error message is enough.
        "log_min_error_statement": "panic",
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
    }
    return "".join(f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'\n" for name, value in values.items())
