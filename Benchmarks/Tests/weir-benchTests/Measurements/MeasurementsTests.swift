import Testing

@testable import weir_bench

@Suite("Measurements")
struct MeasurementsTests {
    @Test("Names differ, and every measurement has columns, rows and a row to compare with")
    func table() {
        #expect(Set(Measurements.all.map(\.name)).count == Measurements.all.count)
        for measurement in Measurements.all {
            #expect(!measurement.metrics.isEmpty, "\(measurement.name)")
            #expect(measurement.subjects.contains { $0.name == measurement.compared }, "\(measurement.name)")
            #expect(Set(measurement.subjects.map(\.name)).count == measurement.subjects.count, "\(measurement.name)")
            #expect(Set(measurement.metrics.map(\.key)).count == measurement.metrics.count, "\(measurement.name)")
        }
    }

    @Test("A group holds its own, and nil holds all", arguments: MeasurementGroup.allCases)
    func groups(_ group: MeasurementGroup) throws {
        let chosen = try Measurements.choose(group: group, only: [])
        #expect(!chosen.isEmpty)
        for measurement in chosen { #expect(measurement.group == group) }
        #expect(try Measurements.choose(group: nil, only: []).count == Measurements.all.count)
    }

    @Test("Names choose, and a wrong one, or one of another group, is refused with the names there are")
    func names() throws {
        let chosen = try Measurements.choose(group: nil, only: ["connect", "stream-1"])
        #expect(chosen.map(\.name) == ["stream-1", "connect"])
        #expect(throws: BenchError.self) { try Measurements.choose(group: nil, only: ["stream"]) }
        let error = #expect(throws: BenchError.self) { try Measurements.choose(group: .hexdump, only: ["connect"]) }
        #expect(error?.description.contains("there are hexdump") == true)
    }

    @Test("An earlier build stands beside each row of Weir that does the same, and beside no other program")
    func before() {
        let rows = BeforeMeasurement.rows(of: LogMeasurement())
        #expect(rows.map(\.compared) == ["weir", "weir --log"])
        #expect(rows[1].subjects.map(\.name) == ["direct", "weir --log", "weir --log, before"])
        #expect(rows[1].subjects[2].peer?.program == "weir-before" && rows[1].subjects[2].watching == .log)
        #expect(rows[1].name == "log" && rows[1].title.hasSuffix("into a file: weir --log"))
        #expect(BeforeMeasurement.rows(of: StreamMeasurement(streams: 1)).map(\.subjects.count) == [3])
        #expect(BeforeMeasurement.rows(of: DumpMeasurement()).isEmpty)
    }

    @Test("Chunks at a rate are shown as lines and as hex, each beside an earlier build too")
    func showRate() {
        let rows = BeforeMeasurement.rows(of: ShowRateMeasurement())
        #expect(rows.map(\.compared) == ["weir", "weir --show summary", "weir --show hex"])
        #expect(rows[2].subjects.map(\.name) == ["weir --show hex", "weir --show hex, before"])
        #expect(rows.map { $0.subjects.map(\.watching) } == [Watching.nothing, .lines, .dump].map { [$0, $0] })
        #expect(Set(ShowRateMeasurement().subjects.map { $0.peer?.name }) == ["weir", "socat"])
    }

    @Test("weir and tshark are asked for the same pattern", arguments: GrepMeasurement.Pattern.allCases)
    func grep(_ pattern: GrepMeasurement.Pattern) {
        let measurement = GrepMeasurement(pattern)
        let hex = ["6e", "65", "65", "64", "6c", "65", "2d", "32", "30", "32", "36"]
        let (weir, tshark) =
            switch pattern {
            case .text: ("needle-2026", "frame contains \"needle-2026\"")
            case .hex: ("hex:" + hex.joined(), "frame contains " + hex.joined(separator: ":"))
            case .regex: ("/needle-[0-9]{4}/", "frame matches \"needle-[0-9]{4}\"")
            }
        #expect(measurement.arguments("weir", "x") == ["show", "x", "--json", "--grep", weir])
        #expect(measurement.arguments("tshark", "x") == ["-n", "-r", "x", "-Y", tshark])
        #expect(measurement.subjects.map(\.name) == ["weir show --grep", "tshark -Y"] && measurement.group == .show)
    }

    @Test(
        "What runs under weir run is measured alone too, and beside an earlier build of weir",
        arguments: RunMeasurement.all
    )
    func run(_ measurement: RunMeasurement) {
        #expect(measurement.subjects.first?.name == Subject.direct.name && measurement.subjects.first?.run == nil)
        #expect(measurement.subjects.contains { $0.name == "weir run" })
        for row in BeforeMeasurement.rows(of: measurement) where row.compared != "weir relay" {
            #expect(row.subjects.map(\.name) == ["direct", row.compared, "\(row.compared), before"])
            #expect(row.subjects.map(\.run?.program) == [nil, "weir", "weir-before"])
            #expect(row.subjects[1].run?.options == row.subjects[2].run?.options && row.subjects[2].peer == nil)
        }
    }

    @Test("A client under weir run keeps its output and its arguments")
    func runLaunch() {
        let client = Launch(program: "/bin/weir-bench", arguments: ["load", "call"])
        let launch = WeirRun(options: ["--only", "tcp"]).launch("/bin/weir", client)
        #expect(launch.program == "/bin/weir")
        let options = ["run", "--show", "none", "--only", "tcp"]
        #expect(launch.arguments == options + ["--", "/bin/weir-bench", "load", "call"])
        #expect(Subject.run(["--only", "tcp"]).name == "weir run --only tcp")
    }

    @Test("A report becomes rates, and costs only where there was a relay")
    func sample() {
        var report = LoadReport(bytes: 2_000_000_000, operations: 1000)
        report.seconds = 2
        #expect(Sample(report).values["bytes_per_second"] == 1e9)
        #expect(Sample(report).values["operations_per_second"] == 500)
        #expect(Sample(report).values["cpu_seconds_per_gigabyte"] == nil)
        report.relaySeconds = 1
        report.lost = 250
        #expect(Sample(report).values["cpu_seconds_per_gigabyte"] == 0.5)
        #expect(Sample(report).values["cpu_microseconds_per_operation"] == 1000)
        #expect(Sample(report).values["loss_percent"] == 20)
        // Calls have no bytes.
        report.bytes = 0
        #expect(Sample(report).values["cpu_seconds_per_gigabyte"] == nil)
        #expect(Sample(report).values["cpu_microseconds_per_operation"] == 1000)
    }

    @Test(
        "Finds what each program says that it captured and dropped",
        arguments: [
            "capturing on lo\nrecorded /x\nweir: 12 packets captured, 3 dropped by the kernel on lo\n",
            "tcpdump: listening on lo\n12 packets captured\n30 packets received by filter\n3 packets dropped by kernel\n",
            "File: /x\nPackets captured: 12\nPackets received/dropped on interface 'lo': 12/3 (pcap:3/dumpcap:0/flushed:0)\n",
        ]
    )
    func counted(_ text: String) throws {
        let counted = try #require(LiveCaptureMeasurement.counted(text))
        #expect(counted.captured == 12)
        #expect(counted.dropped == 3)
        #expect(LiveCaptureMeasurement.counted("tcpdump: no such device") == nil)
    }
}
