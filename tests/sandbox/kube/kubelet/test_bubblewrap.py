"""Views: mount points that the host does not have can still be mounted."""

from crossfade.sandbox.kube.kubelet.bubblewrap import Bind, View, command


def words(tmp_path, *targets):
    binds = tuple(Bind(tmp_path, target) for target in targets)
    return command(View(tmp_path, "pod", "/", binds), ["true"])


def pairs(found, flag):
    return [found[index + 1] for index, word in enumerate(found) if word == flag]


def test_the_host_is_read_only_as_a_whole_when_nothing_has_to_be_made(tmp_path):
    found = words(tmp_path, "/mnt")
    assert found[found.index("--ro-bind") : found.index("--ro-bind") + 3] == ["--ro-bind", "/", "/"]


def test_only_the_folders_on_the_way_are_opened(tmp_path):
    found = words(tmp_path, "/etc/no-such-folder/conf")
    assert pairs(found, "--tmpfs") == ["/"]
    assert pairs(found, "--dir") == ["/etc"]
    assert "/etc/passwd" in pairs(found, "--ro-bind-try")
    assert "/etc" not in pairs(found, "--ro-bind-try")


def test_outer_mounts_come_before_those_inside_them(tmp_path):
    found = words(tmp_path, "/mnt/a/b", "/mnt", "/mnt/a")
    at = [found.index(target) for target in ("/mnt", "/mnt/a", "/mnt/a/b")]
    assert at == sorted(at)


def test_the_command_comes_last_and_cannot_be_taken_for_an_option(tmp_path):
    found = command(View(tmp_path, "pod"), ["--weird"])
    assert found[-2:] == ["--", "--weird"]
