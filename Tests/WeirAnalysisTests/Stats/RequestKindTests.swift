import Testing
import WeirAnalysis
import WeirWire

@Suite("Kinds of requests")
struct RequestKindTests {
    private static func kind(_ name: StaticString, _ summary: String, _ direction: Direction = .upstream) -> String? {
        var message = Message()
        message.name = name
        message.direction = direction
        message.isRequest = direction == .upstream
        message.summary = MessageText(escaping: summary)
        return RequestKind(message).map { "\($0.name) \($0.request)" }
    }

    @Test(
        "Are what messages ask for, without what differs from one to the next",
        arguments: [
            ("http", "GET /a?b=c h:80", "http GET /a"), ("http", "POST /a/b#c h, 5 bytes", "http POST /a/b"),
            ("http", "GET http://p:80/q?r p", "http GET /q"), ("http", "GET http://p p", "http GET /"),
            ("http", "200 OK text/html, 5 bytes", nil), ("http", "OPTIONS *", "http OPTIONS *"), ("http", "GET", nil),
            ("dns", "query A example.com", "dns A"), ("dns", "answer A example.com: 1.2.3.4", nil),
            ("dns", "NXDOMAIN A example.com", nil), ("redis", "get key", "redis GET"), ("redis", "PING", "redis PING"),
            ("postgresql", "query select 1 as one", "postgresql SELECT ? AS one"),
            ("postgresql", "query /* by app */ Insert into t", "postgresql INSERT INTO t"),
            ("postgresql", "parse s1 update t set x = 1", "postgresql UPDATE t SET x = ?"),
            ("postgresql", "parse s1", "postgresql parse"),
            ("postgresql", "query frobnicate", "postgresql frobnicate"), ("postgresql", "query", "postgresql query"),
            ("postgresql", "execute", "postgresql execute"), ("postgresql", "execute p", "postgresql execute p"),
            ("postgresql", "bind", nil), ("postgresql", "sync", nil),
            ("postgresql", "start-up, version 3.0, user x", "postgresql start-up"),
            ("echo", "request of 5 bytes", "echo request"), ("echo", "response of 5 bytes", nil),
            ("mqtt", "publish a/b, 5 bytes", "mqtt publish a/b"),
            ("tls", "application data, 9 bytes", "tls application data"),
            ("x", "", nil),
        ] as [(String, String, String?)]
    )
    func kinds(name: String, summary: String, kind: String?) {
        let names: [StaticString] = ["http", "dns", "redis", "postgresql", "echo", "mqtt", "tls", "x"]
        let found = names.first { $0.description == name } ?? "x"
        #expect(Self.kind(found, summary) == kind)
    }

    @Test(
        "Numbers, UUIDs and long numbers in hex in a path are one thing of many; versions and words are not",
        arguments: [
            ("/items/1", "/items/{n}"), ("/items/2/parts/-17", "/items/{n}/parts/{n}"), ("/2024/05/", "/{n}/{n}/"),
            ("/v1/items/42.json", "/v1/items/{n}.json"), ("/items/1a", "/items/1a"), ("/-", "/-"), ("/", "/"),
            ("/u/123e4567-E89B-12d3-a456-426614174000", "/u/{uuid}"), ("/a/b-1", "/a/b-1"), ("*", "*"),
            ("/u/123e4567-e89b-12d3-a456-42661417400g", "/u/123e4567-e89b-12d3-a456-42661417400g"),
            ("/c/0f8b1c2d3e4f5a6b/x", "/c/{hex}/x"), ("/c/0f8b1c2d3e4f5a6", "/c/0f8b1c2d3e4f5a6"),
            ("/c/deadbeefdeadbeef", "/c/deadbeefdeadbeef"), ("/é/٣", "/é/٣"),
        ]
    )
    func paths(path: String, folded: String) {
        #expect(Self.kind("http", "GET \(path)?q=1 h:80") == "http GET \(folded)")
    }

    @Test(
        "Statements have no values, no comments and one spelling of their keywords",
        arguments: [
            ("SELECT * FROM t WHERE id = 5", "SELECT * FROM t WHERE id = ?"),
            ("select a from t where b='it''s' and c in (1, 2,3)", "SELECT a FROM t WHERE b=? AND c IN (?)"),
            ("insert into t values (1,'a'), (2, 'b')", "INSERT INTO t VALUES (?)"),
            (#"select $1, $tag$ '1 $tag$, E'a\'b', -1.5e3;"#, "SELECT ?"),
            ("select a - 1, -1 from t1", "SELECT a - ? FROM t1"),
            ("select 1 -- one\nfrom  t", "SELECT ? FROM t"),
            ("/* select */ delete from \"T 1\"", "DELETE FROM \"T 1\""),
            ("select 'open", "SELECT ?"), ("select /* open", "SELECT"), ("select $x$ open", "SELECT ?"),
            ("select '" + String(repeating: "x", count: 600), "SELECT ?..."), ("select é, 'é'", "SELECT é, ?"),
            ("select " + String(repeating: "a", count: 300), "SELECT " + String(repeating: "a", count: 233) + "..."),
        ]
    )
    func statements(statement: String, folded: String) {
        #expect(Self.kind("postgresql", "query \(statement)") == "postgresql \(folded)")
        #expect(Self.kind("postgresql", "parse name_1 \(statement)") == "postgresql \(folded)")
    }

    @Test("Any beginning of a statement has a kind")
    func beginnings() {
        let statement = Array(#"select $t$a$t$, "b", E'\'', 'c', -1.5, $1 /* d */ from t -- e\nwhere f in (1, 2)"#)
        for count in 0...statement.count {
            #expect(Self.kind("postgresql", "query \(String(statement.prefix(count)))") != nil)
        }
    }

    @Test("Answers of protocols whose clients ask are none")
    func answers() {
        for name in ["redis", "postgresql", "mqtt", "tls"] as [StaticString] {
            #expect(Self.kind(name, "query select", .downstream) == nil)
        }
        #expect(Self.kind("http", "GET /a", .downstream) == "http GET /a")
    }
}
