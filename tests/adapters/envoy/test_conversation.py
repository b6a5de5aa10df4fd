"""The order in which one edge is told things, without any edge."""

from google.protobuf import any_pb2

from crossfade.adapters.envoy.conversation import Conversation, Request, Response
from crossfade.adapters.envoy.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES
from crossfade.adapters.envoy.snapshot import Content, Snapshot

ORDER = (CLUSTER, ENDPOINTS, LISTENER, ROUTES)


def content(version: str, *names: str) -> Content:
    return Content(version, {name: any_pb2.Any(type_url=name) for name in names})


def snapshot(number: int, *clusters: str, endpoints: str = "e", routes: str = "r") -> Snapshot:
    version = f"c-{'-'.join(clusters)}"
    return Snapshot(
        number,
        {
            CLUSTER: content(version, *clusters),
            ENDPOINTS: content(f"{version}-{endpoints}", *clusters),
            LISTENER: content("l", "edge"),
            ROUTES: content(routes, "edge"),
        },
    )


def names(response: Response) -> set[str]:
    return {message.type_url for message in response.resources}


class Edge:
    """An edge that asks for endpoints of the clusters it is told of, as Envoy does."""

    def __init__(self, *, held: dict[str, str] | None = None, clusters: tuple[str, ...] = ()):
        self.conversation = Conversation()
        self.held = dict(held or {})
        self.clusters: set[str] = set(clusters)
        self.heard: list[tuple[str, set[str]]] = []
        self.nonces: dict[str, str] = {}
        self.asked: set[str] = set()
        for type_url in (CLUSTER, LISTENER):
            self._ask(type_url)
        if clusters:
            self._ask(ENDPOINTS)
            self._ask(ROUTES)

    def _ask(self, type_url: str, error: str = "") -> None:
        self.asked.add(type_url)
        wanted = {ENDPOINTS: frozenset(self.clusters), ROUTES: frozenset({"edge"})}
        self.conversation.hear(
            Request(
                type_url,
                self.held.get(type_url, ""),
                self.nonces.get(type_url, ""),
                wanted.get(type_url, frozenset()),
                error,
            )
        )

    def take(self, response: Response, *, error: str = "") -> None:
        """Take in a response and answer it."""
        self.heard.append((response.type_url, names(response)))
        self.nonces[response.type_url] = response.nonce
        if not error:
            self.held[response.type_url] = response.version
            if response.type_url == CLUSTER:
                self.clusters = names(response)
                self._ask(ENDPOINTS)
            if response.type_url == LISTENER and ROUTES not in self.asked:
                self._ask(ROUTES)
        self._ask(response.type_url, error)

    def settle(self) -> list[str]:
        """Take in everything; return the types in the order of their arrival."""
        self.heard.clear()
        while response := self.conversation.say():
            self.take(response)
        return [type_url for type_url, _ in self.heard]


def settled(*clusters: str) -> Edge:
    edge = Edge()
    edge.conversation.want(snapshot(1, *clusters))
    edge.settle()
    assert edge.conversation.acknowledged
    return edge


def test_a_new_edge_gets_everything_in_the_order_that_breaks_nothing():
    edge = Edge()
    edge.conversation.want(snapshot(1, "colors"))

    assert edge.settle() == list(ORDER)
    assert edge.conversation.acknowledged


def test_nothing_is_said_before_there_is_a_plan():
    assert Edge().conversation.say() is None


def test_new_shares_are_one_message():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", endpoints="other"))

    assert edge.settle() == [ENDPOINTS]


def test_an_edge_that_comes_back_with_everything_is_told_nothing():
    before = settled("colors")
    again = Edge(held=before.held, clusters=("colors",))
    again.conversation.want(snapshot(9, "colors"))

    assert again.settle() == []
    assert again.conversation.acknowledged


def test_an_edge_that_comes_back_is_told_what_it_missed_only():
    before = settled("colors")
    again = Edge(held=before.held, clusters=("colors",))
    again.conversation.want(snapshot(9, "colors", endpoints="other"))

    assert again.settle() == [ENDPOINTS]


def test_a_cluster_goes_only_after_the_routes_to_it():
    edge = settled("colors", "shapes")
    edge.conversation.want(snapshot(2, "colors", routes="without shapes"))
    edge.settle()

    clusters = [(index, got) for index, (kind, got) in enumerate(edge.heard) if kind == CLUSTER]
    routes = [index for index, (kind, _) in enumerate(edge.heard) if kind == ROUTES]
    assert clusters[0][1] == {"colors", "shapes"}
    assert clusters[-1][1] == {"colors"}
    assert clusters[0][0] < routes[0] < clusters[-1][0]
    assert edge.conversation.acknowledged


def test_endpoints_are_answered_while_the_edge_waits_for_them_to_take_up_a_cluster():
    """Envoy acknowledges a new cluster once it has its endpoints, not before."""
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", "shapes", routes="both"))
    first = edge.conversation.say()
    assert first is not None
    assert first.type_url == CLUSTER
    edge.clusters = names(first)
    edge._ask(ENDPOINTS)  # and no answer to `first` yet

    second = edge.conversation.say()
    assert second is not None
    assert (second.type_url, names(second)) == (ENDPOINTS, {"colors", "shapes"})
    edge.take(second)
    assert edge.conversation.say() is None, "routes must wait for the cluster"

    edge.take(first)
    assert edge.settle() == [ROUTES]


def test_an_endpoint_that_is_asked_for_later_is_sent_with_the_same_version():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", "shapes"))
    first, second = edge.conversation.say(), edge.conversation.say()
    assert first is not None
    assert second is not None
    assert names(second) == {"colors"}, "the edge does not know of shapes yet"
    edge.take(first)
    edge.take(second)

    assert edge.settle() == [ENDPOINTS]
    assert edge.heard[-1][1] == {"colors", "shapes"}
    assert edge.conversation.acknowledged


def test_a_refusal_is_kept_until_something_else_is_taken():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", endpoints="bad"))
    response = edge.conversation.say()
    assert response is not None
    edge.take(response, error="malformed IP address")

    assert edge.conversation.refused == "malformed IP address"
    assert not edge.conversation.acknowledged
    assert edge.conversation.say() is None, "sending it again would be refused again"

    edge.conversation.want(snapshot(3, "colors", endpoints="good"))
    edge.settle()
    assert edge.conversation.refused == ""
    assert edge.conversation.acknowledged


def test_what_was_refused_can_be_offered_again_and_stays_reported_until_it_is_taken():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", endpoints="unlucky"))
    response = edge.conversation.say()
    assert response is not None
    edge.take(response, error="address in use")
    edge.conversation.again()
    assert edge.conversation.refused == "address in use"

    assert edge.settle() == [ENDPOINTS]
    assert edge.conversation.refused == ""
    assert edge.conversation.acknowledged


def test_a_refused_cluster_does_not_hold_up_the_shares_of_others():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", "bad", routes="both"))
    response = edge.conversation.say()
    assert response is not None
    edge.take(response, error="bad is bad")
    edge.settle()

    assert [kind for kind, _ in edge.heard] == [ENDPOINTS, ROUTES]
    assert edge.conversation.refused == "bad is bad"
    assert not edge.conversation.acknowledged


def test_an_answer_to_an_older_message_counts_for_nothing():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", endpoints="other"))
    assert edge.conversation.say() is not None
    edge.conversation.hear(Request(ENDPOINTS, "c-colors-e", "2", frozenset({"colors"})))

    assert not edge.conversation.acknowledged


def test_only_the_newest_plan_is_sent_when_several_came_while_the_edge_was_busy():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, "colors", endpoints="second"))
    busy_with = edge.conversation.say()
    edge.conversation.want(snapshot(3, "colors", endpoints="third"))
    edge.conversation.want(snapshot(4, "colors", endpoints="fourth"))
    assert busy_with is not None
    edge.take(busy_with)
    edge.settle()

    assert edge.held[ENDPOINTS] == "c-colors-fourth"
    assert len(edge.heard) == 1


def test_a_plan_without_applications_is_acknowledged_too():
    edge = settled("colors")
    edge.conversation.want(snapshot(2, routes="none"))
    edge.settle()

    assert edge.conversation.acknowledged


def test_types_that_nobody_serves_are_ignored():
    edge = settled("colors")
    edge.conversation.hear(Request("type.googleapis.com/envoy.service.runtime.v3.Runtime"))

    assert edge.conversation.say() is None
