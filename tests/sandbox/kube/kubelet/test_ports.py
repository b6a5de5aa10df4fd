"""Ports: each Pod its own, the same after a restart, and never somebody else's."""

import socket

from crossfade.sandbox.kube.kubelet.ports import PortPicker, annotation, mapped_ports, port_number


def pod(uid, *ports, **annotations):
    containers = [{"name": "main", "ports": [{"containerPort": port} for port in ports]}]
    return {
        "metadata": {"name": uid, "uid": uid, "annotations": annotations},
        "spec": {"containers": containers},
    }


def test_pods_with_the_same_container_port_get_ports_of_their_own():
    picker = PortPicker("127.0.0.1")
    found = [picker.assign(pod(f"p{number}", 8080))[8080] for number in range(50)]
    assert len(set(found)) == 50


def test_a_port_is_kept_over_a_restart_of_the_kubelet():
    ports = PortPicker("127.0.0.1").assign(pod("p", 8080, 9090))
    again = pod("p", 8080, 9090, **annotation(ports))
    assert PortPicker("127.0.0.1").assign(again) == ports


def test_a_port_that_somebody_else_took_meanwhile_is_given_up():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        found = PortPicker("127.0.0.1").assign(pod("p", 80, **annotation({80: taken})))
        assert found[80] != taken


def test_a_host_port_is_taken_literally():
    body = pod("p", 80)
    body["spec"]["containers"][0]["ports"][0]["hostPort"] = 12345
    assert PortPicker("127.0.0.1").assign(body) == {80: 12345}


def test_an_annotation_that_makes_no_sense_is_ignored():
    for text in ("", "[]", "{]", '{"a": "b"}', "null"):
        assert mapped_ports(pod("p", 80, **{"sandbox.crossfade.dev/ports": text})) == {}


def test_a_port_is_found_by_number_name_or_text():
    container = {"ports": [{"name": "http", "containerPort": 80}]}
    for wanted in (80, "80", "http"):
        assert port_number(container, wanted, {80: 23456}) == 23456
    assert port_number(container, "admin", {80: 23456}) is None
