import Testing
import WeirAnalysis
import WeirWire

@Suite("Kinds of requests")
struct RequestKindTests {
    private static func kind(_ name: StaticString, _ summary: String, _ direction: Direction = .upstream) -> String? {
        var message = Message()
        message.name = name
        message.direction = direction
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
            ("postgresql", "query select 1 as one", "postgresql SELECT"),
            ("postgresql", "query /* by app */ Insert into t", "postgresql INSERT"),
            ("postgresql", "parse s1 update t set x = 1", "postgresql UPDATE"),
            ("postgresql", "parse s1", "postgresql parse"),
            ("postgresql", "query frobnicate", "postgresql FROBNICATE"), ("postgresql", "query", "postgresql query"),
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

    @Test("Answers of protocols whose clients ask are none")
    func answers() {
        for name in ["redis", "postgresql", "mqtt", "tls"] as [StaticString] {
            #expect(Self.kind(name, "query select", .downstream) == nil)
        }
        #expect(Self.kind("http", "GET /a", .downstream) == "http GET /a")
    }
}
