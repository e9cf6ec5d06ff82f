import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin
@testable import WeirEngine

@Suite("The JSON of flows, ports and toxics")
struct FlowJSONTests {
    private static let path = FlowPath(
        client: Endpoint(address: .loopbackV4, port: 1),
        listener: Endpoint(address: .loopbackV4, port: 2),
        egress: Endpoint(address: .loopbackV6, port: 3),
        server: Endpoint(address: .loopbackV6, port: 4)
    )

    private static func counters(_ first: UInt64) -> Counters {
        var counters = Counters()
        (counters.bytes, counters.chunks) = (first, first + 1)
        (counters.droppedBytes, counters.droppedDatagrams) = (first + 2, first + 3)
        return counters
    }

    private static func flow(_ path: FlowPath) -> FlowStatus {
        FlowStatus(
            id: FlowID(9),
            transport: .udp,
            path: path,
            route: 1,
            phase: .dialing,
            openedWallNanoseconds: 1_700_000_000_123_456_789,
            age: .nanoseconds(5),
            idle: .nanoseconds(6),
            upstream: counters(10),
            downstream: counters(20),
            queuedUpstream: 30,
            queuedDownstream: 40
        )
    }

    @Test("A flow has its path, its times, and what each direction has counted; what is not known is null")
    func showsFlows() {
        let rest = #"""
            "upstream":{"bytes":10,"chunks":11,"dropped_bytes":12,"dropped_datagrams":13,"queued_bytes":30},"downstream":\#
            {"bytes":20,"chunks":21,"dropped_bytes":22,"dropped_datagrams":23,"queued_bytes":40}}
            """#
        let begin = #"""
            "transport":"udp","phase":"dialing","opened":"2023-11-14T22:13:20.123456789Z","age_ns":5,"idle_ns":6,\#
            "client":"127.0.0.1:1","listener":"127.0.0.1:2",
            """#
        let known = #"{"id":9,"proxy":"b",\#(begin)"egress":"[::1]:3","server":"[::1]:4",\#(rest)"#
        #expect(FlowJSON.flow(Self.flow(Self.path), [0: "a", 1: "b"]).text == known)
        let unknown = #"{"id":9,"proxy":null,\#(begin)"egress":null,"server":null,\#(rest)"#
        let path = FlowPath(client: Self.path.client, listener: Self.path.listener)
        #expect(FlowJSON.flow(Self.flow(path), [0: "a"]).text == unknown)
    }

    @Test("A pair of ports has its four endpoints, its time, and whether the flow is open")
    func showsPairs() {
        var pair = PortBook.Pair(flow: 9, transport: .tcp, path: Self.path, openedWallNanoseconds: 1)
        let text = #"""
            {"flow":9,"transport":"tcp","client":"127.0.0.1:1","listener":"127.0.0.1:2","egress":"[::1]:3",\#
            "server":"[::1]:4","opened":"1970-01-01T00:00:00.000000001Z","open":true}
            """#
        #expect(FlowJSON.pair(pair).text == text)
        pair.isOpen = false
        #expect(FlowJSON.pair(pair).text == text.replacing("true", with: "false"))
    }

    @Test("A type of toxic has its fields, each with its kind, unit, default and bounds")
    func showsTypes() throws {
        let type = try #require(Toxics.type(named: "latency"))
        let value = ToxicJSON.type(type)
        #expect(value["name"] == "latency" && value["summary"] == .string(type.summary))
        #expect(value["transports"]?.arrayValue == type.transports.map { .string("\($0)") })
        for type in Toxics.all {
            let fields = ToxicJSON.type(type)["fields"]?.arrayValue ?? []
            #expect(fields.count == type.fields.count)
            for (shown, field) in zip(fields, type.fields) {
                #expect(shown["name"] == .string(field.name) && shown["help"] == .string(field.help))
                #expect(
                    shown["kind"] == .string(field.kind.rawValue) && shown["default"] == ProxyBook.json(field.default)
                )
                #expect(shown["minimum"] == (field.range.map { .float($0.lowerBound) } ?? .null))
                #expect(shown["maximum"] == (field.range.map { .float($0.upperBound) } ?? .null))
            }
        }
    }
}
