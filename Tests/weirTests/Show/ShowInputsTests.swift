import Foundation
import Support
import Testing

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
        try ShowInputs.files([path]).map { String($0.dropFirst(folder.path.count + 1)) }
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
            try ShowInputs.files([folder.path + "/"]).map { $0.split(separator: "/").last ?? "" }
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
        #expect(ShowInputs.isBefore(first, second) && !ShowInputs.isBefore(second, first))
        #expect(!ShowInputs.isBefore(first, first))
    }

    @Test("Other paths stay as they are, in their places")
    func files() throws {
        try made("a.pcap", at: 1)
        let file = folder.path + "/a.pcap"
        #expect(try ShowInputs.files(["-", "absent", folder.path, file]) == ["-", "absent", file, file])
    }

    @Test("A folder without captures is a failure that says so")
    func empty() {
        let failure = #expect(throws: Failure.self) { try ShowInputs.files([folder.path]) }
        #expect(failure?.code == .noInput)
        #expect(
            failure?.message
                == "'\(folder.path)' has no captures in it, and no logs; name a file, or another folder"
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
