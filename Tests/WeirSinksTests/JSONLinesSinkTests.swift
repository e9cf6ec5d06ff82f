import Foundation
import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("JSON lines sink")
struct JSONLinesSinkTests {
    private static let head = #"{"time":"2026-11-22T12:31:07.104218394Z","flow":1,"event":""#
    private static let path =
        #"","transport":"tcp","client":"127.0.0.1:51514","listener":"127.0.0.1:9000","#
        + #""egress":"127.0.0.1:42332","server":"127.0.0.1:65432""#

    @Test(
        "Renders each kind of record, its keys in their order",
        arguments: [
            (.opened, "open", ""),
            (.connected(dial: .microseconds(3), isRerouted: false), "connected", #","dial_ns":3000"#),
            (.refused(.connectionRefused), "refused", #","error":"ECONNREFUSED""#),
            (.refused(ErrorNumber(999)), "refused", #","error":"errno 999""#),
            (chunk(.upstream, at: 7, 14), "data", #","direction":"upstream","offset":7,"length":14"#),
            (
                chunk(.downstream, at: 0, 1, echo: Sample.echo), "data",
                #","direction":"downstream","offset":0,"length":1,"echo_offset":1234,"echo_ns":512000"#
            ),
            (.ended(.downstream), "end", #","direction":"downstream""#),
            (.ended(.upstream, isDelayed: true), "end", #","direction":"upstream""#),
            (.endForwarded(.upstream), "end_forwarded", #","direction":"upstream""#),
            (.endForwarded(.downstream), "end_forwarded", #","direction":"downstream""#),
            (.mismatch(.refused), "mismatch", #","reason":"refused""#),
            (.mismatch(.unanswered(datagrams: 3)), "mismatch", #","datagrams":3"#),
            (
                .mismatch(.byte(offset: 7, sent: 0, received: 255)), "mismatch",
                #","offset":7,"sent":0,"received":255"#
            ),
            (
                .mismatch(.byte(offset: 0, sent: nil, received: 1)), "mismatch",
                #","offset":0,"sent":null,"received":1"#
            ),
            (
                .mismatch(.byte(offset: 0, sent: 1, received: nil)), "mismatch",
                #","offset":0,"sent":1,"received":null"#
            ),
            (Sample.loss(0, 0, .closed), "dropped", #","direction":"upstream","length":0,"reason":"closed""#),
            (
                .dropped(DropRecord(direction: .downstream, bytes: 4, datagrams: 1, reason: .toxic("l"))), "dropped",
                #","direction":"downstream","length":4,"datagrams":1,"reason":"toxic","toxic":"l""#
            ),
            (Sample.loss(5, 0, .reset), "dropped", #","direction":"upstream","length":5,"reason":"reset""#),
            (
                Sample.loss(5, 1, .foreign(Sample.peer)), "dropped",
                #","direction":"upstream","length":5,"datagrams":1,"reason":"not the server","from":"127.0.0.1:1069""#
            ),
            (
                chunk(.downstream, at: 0, 5, peer: Sample.peer), "data",
                #","direction":"downstream","offset":0,"length":5,"from":"127.0.0.1:1069""#
            ),
            (
                chunk(.upstream, at: 0, 4, peer: Sample.peer), "data",
                #","direction":"upstream","offset":0,"length":4,"to":"127.0.0.1:1069""#
            ),
            (
                Sample.loss(5, 2, .error(ErrorNumber(22))), "dropped",
                #","direction":"upstream","length":5,"datagrams":2,"reason":"EINVAL""#
            ),
            (
                Sample.closed(.of(14, in: 1), .of(20, in: 2)), "close",
                #","reason":"finished","bytes_up":14,"bytes_down":20,"#
                    + #""chunks_up":1,"chunks_down":2,"duration_ns":1042000"#
            ),
            (
                Sample.closed(.of(0, in: 0, droppedDatagrams: 9), .of(0, in: 0, dropped: 1), .idle), "close",
                #","reason":"idle","bytes_up":0,"bytes_down":0,"#
                    + #""chunks_up":0,"chunks_down":0,"duration_ns":1042000,"dropped_up":0,"dropped_down":1"#
            ),
            (
                Sample.closed(.of(0, in: 0, droppedDatagrams: 9), .of(0, in: 0), .evicted), "close",
                #","reason":"evicted","bytes_up":0,"bytes_down":0,"chunks_up":0,"chunks_down":0,"duration_ns":1042000"#
            ),
            (
                Sample.closed(.of(14, in: 1, dropped: 3), .of(0, in: 0), .serverReset), "close",
                #","reason":"server reset","bytes_up":14,"bytes_down":0,"#
                    + #""chunks_up":1,"chunks_down":0,"duration_ns":1042000,"dropped_up":3,"dropped_down":0"#
            ),
        ] as [(FlowRecord.Happening, String, String)]
    )
    func line(_ happening: FlowRecord.Happening, _ event: String, _ rest: String) {
        var sink = JSONLinesSink(withBytes: false)
        #expect(sink.rendered(record(happening), "unseen") == Self.head + event + Self.path + rest + "}\n")
    }

    @Test("Says null where an endpoint is not known, and udp for a datagram's flow")
    func unknown() {
        var sink = JSONLinesSink(withBytes: false)
        let path = FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)
        let line = sink.rendered(record(.opened, .udp, flow: .max, path: path))
        let expected =
            #"{"time":"2026-11-22T12:31:07.104218394Z","flow":18446744073709551615,"event":"open","transport":"udp","#
            + #""client":"127.0.0.1:51514","listener":"127.0.0.1:9000","egress":null,"server":null}"#
        #expect(line == expected + "\n")
    }

    @Test("Adds the bytes in base64 where they are wanted")
    func bytes() throws {
        var sink = JSONLinesSink(withBytes: true)
        let line = sink.rendered(record(chunk(.upstream, at: 0, 5)), [0, 0xFF, 0x22, 0x0A, 0x5C])
        #expect(line.hasSuffix(#","direction":"upstream","offset":0,"length":5,"bytes":"AP8iClw="}"# + "\n"))
        let empty = sink.rendered(record(chunk(.upstream, at: 0, 0)), "")
        #expect(empty.hasSuffix(#","length":0,"bytes":""}"# + "\n"))
        #expect(sink.interest == .bytes)
        #expect(JSONLinesSink(withBytes: false).interest == .chunks)
    }

    @Test("Says nothing of what a toxic holds")
    func held() {
        var sink = JSONLinesSink(withBytes: false)
        guard case .forwarded(let held) = chunk(.upstream, at: 0, 5) else { return }
        #expect(sink.rendered(record(.received(held)), "hello") == "")
    }

    @Test("A message follows its chunk once, and precedes the last record of its flow")
    func messages() {
        var sink = JSONLinesSink(withBytes: false, dissects: true)
        func line(_ event: String, _ rest: String) -> String { Self.head + event + Self.path + rest + "}\n" }
        let one = line(
            "message",
            #","direction":"upstream","protocol":"redis","offset":0,"length":5,"complete":true,"summary":"one""#
        )
        let two = line(
            "message",
            #","direction":"downstream","protocol":"redis","offset":5,"length":2,"complete":false,"summary":"two""#
        )
        let data = line("data", #","direction":"upstream","offset":0,"length":5"#)
        #expect(sink.rendered(record(Sample.message(.upstream, 0..<5, "one"))) == "")
        #expect(sink.rendered(record(Sample.message(.downstream, 5..<7, "two") { $0.isComplete = false })) == "")
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 5))) == data + one + two)
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 5))) == data)
        #expect(sink.rendered(record(Sample.message(.upstream, 0..<5, "one"))) == "")
        let close = sink.rendered(record(Sample.closed(.of(1, in: 1), .of(1, in: 1))))
        #expect(close.hasPrefix(one + Self.head + "close") && close.split(separator: "\n").count == 2)
        #expect(sink.rendered(record(.opened)) == line("open", ""))
    }

    @Test("A message of a datagram has no offset, nor that of its request")
    func datagram() {
        var sink = JSONLinesSink(withBytes: false, dissects: true)
        let happening = Sample.message(.downstream, 0..<5, "one") { $0.answer = MessageAnswer(request: 0, delay: 7) }
        _ = sink.rendered(record(happening, .udp))
        let text = sink.rendered(record(.ended(.upstream), .udp))
        #expect(
            text.split(separator: "\n").last?.hasSuffix(
                #","direction":"downstream","protocol":"redis","length":5,"complete":true,"summary":"one","delay_ns":7}"#
            ) == true
        )
    }

    @Test("Says what was left out")
    func loss() {
        var sink = JSONLinesSink(withBytes: true)
        #expect(sink.loss(chunks: 3, bytes: 500) == "{\"event\":\"lost\",\"chunks\":3,\"length\":500}\n")
        #expect(sink.finished() == "")
    }

    @Test("Renders what a JSON parser takes, one object a line", arguments: [true, false])
    func parses(withBytes: Bool) throws {
        let names: Set = ["open", "connected", "refused", "data", "end", "dropped", "close"]
        var sink = JSONLinesSink(withBytes: withBytes)
        var events: Set<String> = []
        for happening in Sample.happenings {
            let line = sink.rendered(record(happening), "\"\\\n\u{1}ü")
            #expect(line.hasSuffix("\n") && line.dropLast().allSatisfy { $0 != "\n" })
            let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let object = try #require(parsed as? [String: Any])
            let event = try #require(object["event"] as? String)
            events.insert(event)
            #expect(object["time"] as? String == "2026-11-22T12:31:07.104218394Z")
            #expect(object["flow"] as? Int == 1)
            #expect(object["transport"] as? String == "tcp")
            #expect(object["server"] as? String == "127.0.0.1:65432")
            if case .forwarded(let chunk) = happening {
                #expect(object["length"] as? Int == chunk.length)
                #expect(object["offset"] as? UInt64 == chunk.offset)
                #expect((object["bytes"] as? String) == (withBytes ? "IlwKAcO8" : nil))
            }
            if case .closed(let close) = happening {
                #expect(object["reason"] as? String == close.reason.rawValue)
                #expect(object["bytes_up"] as? UInt64 == close.upstream.bytes)
                #expect(object["dropped_down"] as? UInt64 == close.downstream.droppedBytes)
            }
        }
        #expect(events == names)
    }
}
