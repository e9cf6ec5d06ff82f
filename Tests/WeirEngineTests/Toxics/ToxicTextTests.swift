import Testing
import WeirEngine
import WeirWire

@Suite("A toxic on the command line")
struct ToxicTextTests {
    @Test("Has a type, a direction and settings")
    func whole() throws {
        let text = try ToxicText("latency,down,latency=100,jitter=20,toxicity=0.5,name=slow,route=2,match.port=80-90")
        #expect(text.route == 1)
        let expected = ToxicConfiguration(
            "latency",
            .downstream,
            name: "slow",
            toxicity: 0.5,
            attributes: ["latency": .int(100), "jitter": .int(20)],
            match: ToxicMatch(ports: 80...90)
        )
        #expect(text.configurations == [expected])
    }

    @Test("The direction may be missing, or both")
    func directions() throws {
        #expect(try ToxicText("noop").configurations.map(\.name) == ["noop_downstream"])
        #expect(try ToxicText("noop,up").configurations.map(\.direction) == [.upstream])
        #expect(try ToxicText("noop,both,name=x").configurations.map(\.name) == ["x_upstream", "x_downstream"])
    }

    @Test("A comma within a value stands behind a backslash, an equals sign stands for itself")
    func commas() throws {
        let text = try ToxicText(#"replace,up,find=a\,b=c\n,with="#)
        #expect(text.configurations[0].attributes == ["find": .string(#"a,b=c\n"#), "with": .string("")])
    }

    @Test(
        "Says what is wrong",
        arguments: [
            ("", nil, "begins with a type"), ("latencies", nil, "there is no toxic"),
            ("latency,sideways", nil, "neither up"),
            ("latency,down,latency", nil, "not FIELD=VALUE"), ("latency,down,latency=fast", "latency", "whole number"),
            ("latency,down,latency=-5", "latency", "from 0"), ("latency,down,delay=5", "delay", "is no field"),
            ("latency,down,toxicity=2", "toxicity", "from 0 to 1"),
            ("latency,down,match.color=red", "match.color", "no condition"),
            ("latency,down,match.port=99999", "match.port", "takes a port"),
            ("latency,down,route=0", "route", "from 1"),
            ("slicer,down", "average_size", "from 1"), ("noop,down,name=", "name", "empty"),
        ] as [(String, String?, String)]
    )
    func wrong(text: String, field: String?, reason: String) {
        let error = #expect(throws: ToxicError.self) { try ToxicText(text) }
        #expect(error?.field == field)
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test("A condition takes these values and no others")
    func conditions() {
        func match(_ key: String, _ value: String) -> ToxicMatch? {
            var match = ToxicMatch()
            return match.take(key, value) == nil ? match : nil
        }
        #expect(match("port", "80") == ToxicMatch(ports: 80...80))
        #expect(match("port", "80-80") == ToxicMatch(ports: 80...80))
        #expect(match("port", "0-65535") == ToxicMatch(ports: 0...65_535))
        for value in ["", "81-80", "80-", "-80", "80-81-82", "80-65536"] { #expect(match("port", value) == nil) }
        for (count, isTaken) in [(0, false), (1, true), (256, true), (257, false)] {
            let text = String(repeating: "x", count: count)
            #expect(match("prefix", text) == (isTaken ? ToxicMatch(prefix: BytePattern(text)) : nil))
        }
        #expect(match("flows", "1") == ToxicMatch(flows: 1))
        #expect(match("flows", "0") == nil && match("flows", "-1") == nil && match("flows", "x") == nil)
        #expect(match("client", "10.0.0.0/8") == ToxicMatch(client: ToxicMatch.Network("10.0.0.0/8")))
        #expect(match("client", "10.0.0.0/33") == nil && match("clients", "10.0.0.1") == nil)
    }

    @Test("Routes are counted from 1, settings have a direction where both are meant")
    func routes() throws {
        #expect(try ToxicText("noop,route=1").route == 0)
        #expect(try ToxicText("noop").route == nil)
        #expect(try ToxicText("noop,up,name=x").configurations.map(\.name) == ["x"])
        let text = try ToxicText("noop,both,match.flows=3")
        #expect(text.configurations.map(\.match) == [ToxicMatch(flows: 3), ToxicMatch(flows: 3)])
        #expect(try ToxicText("noop").configurations.map(\.match) == [nil])
    }

    @Test("Toxics for datagrams are refused on a stream, and two with one name are")
    func chain() {
        #expect(throws: ToxicError.unsupported(type: "loss", .tcp)) {
            try ToxicConfiguration("loss").validated(for: .tcp)
        }
        #expect(throws: ToxicError.duplicate(name: "noop_upstream")) {
            try [ToxicConfiguration("noop", .upstream), ToxicConfiguration("noop", .upstream)].validated(for: .tcp)
        }
    }
}
