import Foundation
import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import weir

@Suite("What weir show reads of a folder", .tags(.capture))
struct ShowInputsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Makes a capture with one packet at a time, or none.
    private func made(_ name: String, at time: Int?) throws {
        var capture = MadeCapture()
        if let time { capture.udp((5000, 9), name, at: time) }
        _ = try folder.file(name, capture.bytes)
    }

    private func names(_ path: String) throws -> [String] {
        try ShowInputs([path]).files.map { String($0.path.dropFirst(folder.path.count + 1)) }
    }

    @Test("Captures and logs are in the order of their first packets, whatever their names are")
    func order() throws {
        try made("a.pcap", at: 30)
        try made("b.pcap", at: 20)
        try made("c.pcapng", at: 10)
        try made("empty.pcap", at: nil)
        _ = try folder.file(
            "log.jsonl",
            Array(
                (#"{"time":"2023-11-14T22:13:20.000025Z","flow":1,"event":"open","transport":"udp","#
                    + #""client":"10.0.0.1:1","listener":"10.0.0.2:2","egress":null,"server":null}"# + "\n"
                    + #"{"time":"2023-11-14T22:13:20.000025Z","flow":1,"event":"data","transport":"udp","#
                    + #""client":"10.0.0.1:1","listener":"10.0.0.2:2","egress":null,"server":null,"#
                    + #""direction":"upstream","offset":0,"length":1,"bytes":"YQ=="}"# + "\n").utf8
            )
        )
        // None of these is read.
        _ = try folder.file(".hidden.pcap", MadeCapture().bytes)
        _ = try folder.file("notes.txt", Array("notes".utf8))
        _ = try folder.file("list.json", Array("[1]".utf8))
        _ = try folder.file("nothing", [])
        try FileManager.default.createDirectory(atPath: folder.path + "/more", withIntermediateDirectories: false)
        let right = ["empty.pcap", "c.pcapng", "b.pcap", "log.jsonl", "a.pcap"]
        #expect(try names(folder.path) == right)
        #expect(
            try ShowInputs([folder.path + "/"]).files.map { $0.path.split(separator: "/").last ?? "" }
                == right.map { $0[...] }
        )
    }

    @Test("Files of a rotation with the same time are in the order of their numbers")
    func numbers() throws {
        let names = ["cap.pcap", "cap.pcap2", "cap.pcap10", "cap.pcap011"]
        for name in names.reversed() { try made(name, at: 5) }
        #expect(try self.names(folder.path) == names)
    }

    @Test(
        "Numbers in names count by their values",
        arguments: [
            ("a", "b"), ("a", "a1"), ("a2", "a10"), ("a02", "a10"), ("a9b", "a10a"), ("a1", "b0"), ("1", "a"),
            ("x-00009.pcapng", "x-00010.pcapng"), ("a99999999999999999998", "a99999999999999999999"),
        ]
    )
    func natural(first: String, second: String) {
        #expect(FolderFile.isBefore(first, second) && !FolderFile.isBefore(second, first))
        #expect(!FolderFile.isBefore(first, first))
    }

    @Test("Other paths stay as they are, in their places")
    func files() throws {
        try made("a.pcap", at: 1)
        let file = folder.path + "/a.pcap"
        let inputs = try ShowInputs(["-", "absent", folder.path, file])
        #expect(inputs.files == ["-", "absent", file, file].map { ShowInputs.File(path: $0) })
        #expect(inputs.notes == [])
    }

    @Test("A folder without captures is a failure that says so")
    func empty() {
        let failure = #expect(throws: Failure.self) { _ = try ShowInputs([folder.path]) }
        #expect(failure?.code == .noInput)
        #expect(
            failure?.message
                == "'\(folder.path)' has no captures in it, and no logs; name a file, or another folder"
        )
    }

    /// The number of a flow, and the port of its client.
    private typealias Flow = (number: UInt64, client: UInt16)

    private static func records(_ flows: [Flow]) -> [FlowRecord] {
        flows.map { flow in
            var path = Playbook.path
            path.client = Endpoint(address: .loopbackV4, port: flow.client)
            return record(.opened, flow: flow.number, path: path)
        }
    }

    /// Makes the capture of a relay that opened flows.
    private func recorded(_ name: String, _ flows: Flow...) throws {
        var sink = CaptureSink(CaptureSettings(seed: 1))
        var output = ByteBuffer()
        sink.begin(at: 0, into: &output)
        for record in Self.records(flows) { sink.render(record, bytes: RawSpan(), into: &output) }
        sink.finish(into: &output)
        _ = try folder.file(name, output.withUnsafeBytes { Array($0) })
    }

    /// Makes the log of a relay that opened flows.
    private func logged(_ name: String, _ flows: Flow...) throws {
        var sink = JSONLinesSink(withBytes: false)
        var output = ByteBuffer()
        for record in Self.records(flows) { sink.render(record, bytes: RawSpan(), into: &output) }
        _ = try folder.file(name, output.withUnsafeBytes { Array($0) })
    }

    @Test("Of a capture and a log of the same run the capture is read, and a line says so")
    func sameRun() throws {
        try recorded("a.pcapng", (1, 5001), (2, 5002))
        try logged("b.jsonl", (1, 5001), (2, 5002))
        // The first files of a rotation may be gone.
        try recorded("c.pcapng", (8, 5008), (9, 5009))
        try logged("d.jsonl", (7, 5007), (8, 5008))
        // A log can leave out flows, too.
        try logged("e.jsonl", (9, 5009))
        let inputs = try ShowInputs([folder.path])
        #expect(inputs.files.map(\.path) == ["a.pcapng", "c.pcapng"].map { "\(folder.path)/\($0)" })
        let named = folder.path
        #expect(
            inputs.notes == [
                "'\(named)/b.jsonl' is not read: '\(named)/a.pcapng' is of the same run; name the log to read it",
                "'\(named)/d.jsonl' is not read: '\(named)/c.pcapng' is of the same run; name the log to read it",
                "'\(named)/e.jsonl' is not read: '\(named)/c.pcapng' is of the same run; name the log to read it",
            ]
        )
        // A file that is named is read.
        #expect(try ShowInputs([folder.path + "/a.pcapng", folder.path + "/b.jsonl"]).files.count == 2)
    }

    @Test("A log of another run is read beside a capture, though its flows have the same numbers")
    func otherRun() throws {
        try recorded("a.pcapng", (1, 5001), (2, 5002))
        try logged("b.jsonl", (1, 6001), (2, 6002))
        let inputs = try ShowInputs([folder.path])
        #expect(inputs.files.count == 2 && inputs.notes == [])
        #expect(inputs.files.allSatisfy { $0.runsLeftOut.isEmpty })
    }

    @Test("Of a log with several runs those are left out that captures have")
    func runs() throws {
        try logged("b.jsonl", (1, 5001), (2, 5002), (1, 6001))
        try recorded("a.pcapng", (1, 6001))
        let (log, capture) = (folder.path + "/b.jsonl", folder.path + "/a.pcapng")
        let some = try ShowInputs([folder.path])
        #expect(some.files == [ShowInputs.File(path: capture), ShowInputs.File(path: log, runsLeftOut: [2])])
        #expect(some.notes == ["run 2 in '\(log)' is not read: '\(capture)' is of that run; name the log to read it"])
        try recorded("c.pcapng", (2, 5002))
        let all = try ShowInputs([folder.path])
        #expect(all.files.map(\.path) == [capture, folder.path + "/c.pcapng"])
        #expect(
            all.notes == [
                "'\(log)' is not read: '\(folder.path)/c.pcapng' and 1 more are of the same run; name the log to read it"
            ]
        )
    }

    @Test("All files of a folder are one capture")
    func shows() async throws {
        try made("b.pcap", at: 1)
        try made("a.pcap", at: 2)
        let ended = try await shown([folder.path, "--packets", "--json"])
        #expect(ended.status == 0 && ended.errors == "")
        let lines = try LogLines(Array(ended.output.utf8))
        #expect(lines.objects.map { $0["packet"] as? Int } == [1, 2])
    }
}
