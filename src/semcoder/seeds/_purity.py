"""What a program may import and use, if its answer is to depend on its arguments alone.

Guarantees: what is named here as refused touches files, network, clock, chance, processes, or the interpreter itself.
It does not prove the rest pure: a program that slips through is found out when it is run, twice, in the sandbox.
"""

from __future__ import annotations

import sys

FILES = "touches files"
NETWORK = "touches the network"
CLOCK = "asks the clock"
CHANCE = "uses randomness"
PROCESSES = "uses processes or threads"
SYSTEM = "depends on the system it runs on"
INTERPRETER = "works on the interpreter itself"
CONSOLE = "talks to a terminal or window"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REFUSED_MODULES: dict[str, frozenset[str]] = {
    FILES: _words(
        "aifc bz2 dbm filecmp fileinput glob gzip linecache lzma mailbox mmap msilib netrc pkgutil "
        "shelve shutil sqlite3 sunau tarfile tempfile wave zipapp zipfile zipimport _io _pyio"
    ),
    NETWORK: _words(
        "asynchat asyncore cgi ftplib imaplib nntplib poplib smtpd smtplib socket socketserver ssl "
        "telnetlib webbrowser wsgiref xmlrpc _socket _ssl"
    ),
    CLOCK: frozenset(["time", "sched", "timeit", "_strptime", "zoneinfo"]),
    CHANCE: frozenset(["random", "secrets", "_random"]),
    PROCESSES: _words(
        "asyncio concurrent multiprocessing pty queue select selectors signal subprocess threading "
        "_thread _posixsubprocess _asyncio contextvars"
    ),
    SYSTEM: _words(
        "_winapi crypt fcntl getpass grp locale msvcrt nis nt ossaudiodev pipes posix pwd platform "
        "resource site spwd sysconfig syslog winreg winsound gettext mimetypes _locale"
    ),
    INTERPRETER: _words(
        "_ast _ctypes _frozen_importlib _imp _testcapi atexit bdb builtins cProfile code codeop "
        "compileall ctypes distutils doctest ensurepip faulthandler gc idlelib imp importlib "
        "lib2to3 modulefinder opcode optparse argparse pdb profile pstats py_compile pyclbr runpy "
        "symtable trace traceback tracemalloc test unittest venv dis marshal cmd"
    ),
    CONSOLE: _words("curses pydoc readline rlcompleter termios tkinter tty turtle turtledemo _curses"),
}
_MODULE_REASON = {module: reason for reason, modules in _REFUSED_MODULES.items() for module in modules}

#: Modules of which only these attributes may be used, and the reason for refusing the others.
_ONLY = {
    "os": (
        FILES,
        _words("path sep altsep extsep pathsep linesep curdir pardir devnull fspath PathLike name error"),
    ),
    "sys": (
        INTERPRETER,
        _words("maxsize maxunicode byteorder float_info int_info hash_info version_info intern hexversion"),
    ),
    "io": (
        FILES,
        _words("StringIO BytesIO IOBase TextIOBase RawIOBase BufferedIOBase SEEK_SET SEEK_CUR SEEK_END"),
    ),
    "urllib": (NETWORK, frozenset({"parse"})),
    "http": (NETWORK, frozenset({"HTTPStatus", "HTTPMethod", "cookies"})),
    "pathlib": (FILES, frozenset({"PurePath", "PurePosixPath", "PureWindowsPath"})),
}
_ONLY["_os"] = _ONLY["os"]
#: Modules of which these attributes may not be used.
_EXCEPT = {
    "os.path": (
        FILES,
        _words(
            "exists lexists isfile isdir islink ismount abspath realpath getsize getmtime getatime "
            "getctime expanduser expandvars samefile sameopenfile samestat os genericpath"
        ),
    ),
    "uuid": (CHANCE, frozenset(["uuid1", "uuid4", "getnode"])),
    "codecs": (FILES, frozenset({"open"})),
    "tokenize": (FILES, frozenset({"open"})),
    "types": (INTERPRETER, frozenset({"CodeType", "FunctionType", "FrameType"})),
    "tomllib": (FILES, frozenset({"load"})),
    "pickle": (FILES, frozenset(["load", "dump", "Pickler", "Unpickler"])),
    "plistlib": (FILES, frozenset(["load", "dump"])),
    "inspect": (
        INTERPRETER,
        _words("stack trace currentframe getsource getsourcelines getsourcefile getfile findsource getmodule"),
    ),
}
for _alias in ("posixpath", "ntpath", "genericpath"):
    _EXCEPT[_alias] = _EXCEPT["os.path"]

_REFUSED_BUILTINS = {
    "open": FILES,
    "input": CONSOLE,
    "breakpoint": INTERPRETER,
    "exit": INTERPRETER,
    "quit": INTERPRETER,
    "help": CONSOLE,
    "exec": INTERPRETER,
    "eval": INTERPRETER,
    "compile": INTERPRETER,
    "__import__": INTERPRETER,
    "globals": INTERPRETER,
    "locals": INTERPRETER,
    "id": "depends on object addresses",
    "__file__": FILES,
    "__path__": FILES,
    "__spec__": INTERPRETER,
    "__loader__": INTERPRETER,
}
#: Attributes that give the program away whatever they are read from.
_REFUSED_ATTRIBUTES = {
    "now": CLOCK,
    "utcnow": CLOCK,
    "today": CLOCK,
    "_getframe": INTERPRETER,
    "f_back": INTERPRETER,
    "f_locals": INTERPRETER,
    "__subclasses__": INTERPRETER,
    "__code__": INTERPRETER,
    "read_text": FILES,
    "write_text": FILES,
    "read_bytes": FILES,
    "write_bytes": FILES,
}


def is_standard(module: str) -> bool:
    """Whether a dotted name belongs to the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def refused_import(module: str) -> str:
    """Why a standard-library module may not be used at all; '' if it may."""
    if module.startswith(
        (
            "http.client",
            "http.server",
            "http.cookiejar",
            "urllib.request",
            "urllib.error",
            "urllib.robotparser",
            "xml.sax",
            "xml.dom",
        )
    ):
        return NETWORK
    return _MODULE_REASON.get(module, "") or _MODULE_REASON.get(module.partition(".")[0], "")


def refused_use(module: str, path: tuple[str, ...]) -> str:
    """Why `module.path[0].path[1]...` may not be used; '' if it may. An empty path is the module as a whole."""
    reason = refused_import(module)
    if reason or not path:
        return reason or (_ONLY[module][0] if module in _ONLY else "")
    if module in _ONLY and path[0] not in _ONLY[module][1]:
        return CLOCK if path[0] in ("times", "utime") else _ONLY[module][0]
    if module in _EXCEPT and path[0] in _EXCEPT[module][1]:
        return _EXCEPT[module][0]
    deeper = f"{module}.{path[0]}"
    return refused_use(deeper, path[1:]) if deeper in _EXCEPT else refused_import(deeper)


def refused_builtin(name: str) -> str:
    """Why a builtin may not be used; '' if it may."""
    return _REFUSED_BUILTINS.get(name, "")


def refused_attribute(name: str) -> str:
    """Why an attribute of that name may not be read; '' if it may."""
    return _REFUSED_ATTRIBUTES.get(name, "")
