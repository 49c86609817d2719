"""The completion scripts, loaded into the shells that are installed and tried at their prompts."""
import os
import shutil

import pytest

pytestmark = pytest.mark.once

SHELLS = {
    # the shell as it is without anybody's settings, and how the program's script gets into it
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(%s)"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(%s)"),
    "fish": (["fish", "--no-config", "-i"], "%s | source"),
}
PROGRAMS = {  # how to get the script, and pairs of what is typed and what Tab makes of it
    "rpyc_classic": ("rpyc_classic --completions %s", [("--ssl-ca", "--ssl-cafile"), ("-m thr", "-m threaded"),
                                                       ("--registry-type U", "--registry-type UDP")]),
    "rpyc_registry": ("rpyc_registry --completions %s", [("--state-f", "--state-file"), ("--mode BO", "--mode BOTH")]),
    "gorpyc": ("gorpyc completions %s", [("disc", "discover"), ("bench --concu", "bench --concurrency"),
                                         ("tap rep", "tap replay")]),
}


@pytest.mark.parametrize("shell", sorted(SHELLS))
@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_at_a_prompt(peers, terminal, tmp_path, shell, program):
    if shutil.which(shell) is None:
        pytest.skip("%s is not installed here" % shell)
    for name in PROGRAMS:
        (tmp_path / name).symlink_to(peers.binaries.path(name))
    argv, load = SHELLS[shell]
    script, completions = PROGRAMS[program]
    env = {"PATH": "%s:%s" % (tmp_path, os.environ["PATH"]), "PS1": "ready> ", "HOME": str(tmp_path)}
    t = terminal(argv, env=env, cwd=str(tmp_path))
    t.type(load % (script % shell), "; echo load''ed", "enter")
    t.expect("loaded\r?\n")
    for begun, whole in completions:
        t.type(program + " " + begun, "tab")
        t.expect(program + " " + whole)
        t.type("ctrl-u")  # the line goes
