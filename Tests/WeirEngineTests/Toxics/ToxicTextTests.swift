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
