import Testing
import WeirEngine
import WeirWire

@testable import WeirAdmin

@Suite("The filter of events")
struct EventFilterTests {
    private static func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

    private static func event(
        _ name: String = "open",
        flow: UInt64 = 7,
        _ direction: Direction? = nil,
        _ transport: Transport = .tcp,
        listener: String = "127.0.0.1:80"
    ) throws -> EventLog.Event {
        let path = FlowPath(client: try endpoint("127.0.0.1:9999"), listener: try endpoint(listener))
        return EventLog.Event(
            id: 1,
            name: name,
            flow: flow,
            direction: direction,
            transport: transport,
            path: path,
            text: []
        )
    }

    @Test("Without names it takes all but what comes with chunks, with names only those")
    func takesNames() throws {
        for name in EventFilter.names {
            let event = try Self.event(name)
            #expect(EventFilter().takes(event) == !["data", "message"].contains(name), "\(name)")
            for wanted in EventFilter.names {
                #expect(EventFilter(events: [wanted]).takes(event) == (name == wanted), "\(name) \(wanted)")
            }
            #expect(EventFilter(events: ["close", "data"]).takes(event) == ["close", "data"].contains(name))
        }
    }

    @Test("It takes one flow, one transport, one direction, and all of them together")
    func takesFlows() throws {
        #expect(EventFilter(flow: 7).takes(try Self.event()))
        #expect(try !EventFilter(flow: 7).takes(Self.event(flow: 8)))
        for wanted in [Transport.tcp, .udp] {
            for given in [Transport.tcp, .udp] {
                let takes = EventFilter(transport: wanted).takes(try Self.event("open", nil, given))
                #expect(takes == (wanted == given))
            }
        }
        for wanted in [Direction.upstream, .downstream] {
            for given in [Direction.upstream, .downstream, nil] {
                let takes = EventFilter(direction: wanted).takes(try Self.event("end", given))
                #expect(takes == (wanted == given))
            }
        }
        let all = EventFilter(events: ["end"], flow: 7, direction: .upstream, transport: .udp)
        #expect(all.takes(try Self.event("end", .upstream, .udp)))
        #expect(try !all.takes(Self.event("end", flow: 8, .upstream, .udp)))
        #expect(try !all.takes(Self.event("end", .upstream, .tcp)))
        #expect(try !all.takes(Self.event("end", .downstream, .udp)))
        #expect(try !all.takes(Self.event("open", .upstream, .udp)))
    }

    @Test(
        "It takes the flows of one listener; one that listens everywhere has flows at every address of its port",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1:80", true), ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false), ("0.0.0.0:80", "127.0.0.2:80", true),
            ("0.0.0.0:80", "127.0.0.2:81", false), ("[::]:80", "[::1]:80", true), ("[::]:80", "[::1]:81", false),
        ]
    )
    func takesListeners(wanted: String, given: String, isTaken: Bool) throws {
        let event = try Self.event(listener: given)
        #expect(EventFilter(listeners: [try Self.endpoint(wanted)]).takes(event) == isTaken)
        let two = EventFilter(listeners: [try Self.endpoint("10.0.0.1:1"), try Self.endpoint(wanted)])
        #expect(two.takes(event) == isTaken)
    }

    @Test(
        "It needs the records of what it takes, and no more",
        arguments: [
            ([], false, Interest.flows, false, true), ([], true, .flows, false, true),
            (["open"], true, .flows, false, true), (["data"], false, .chunks, true, false),
            (["data"], true, .bytes, true, false), (["data", "open"], false, .chunks, true, true),
            (["message"], true, .flows, true, false), (["message", "data"], true, .bytes, true, false),
            (["message", "open"], false, .flows, true, true),
        ] as [(Set<String>, Bool, Interest, Bool, Bool)]
    )
    func needs(events: Set<String>, wantsBytes: Bool, interest: Interest, wantsChunks: Bool, wantsFlows: Bool) {
        let filter = EventFilter(events: events, wantsBytes: wantsBytes)
        #expect(filter.interest == interest && filter.wantsChunks == wantsChunks && filter.wantsFlows == wantsFlows)
        #expect(filter.messages == (events.contains("message") ? .summaries : .none))
    }
}
