import Foundation
import Support
import Testing
import WeirWire

/// Runs `weir relay --record` for a test, and checks of every capture what holds for all of them.
struct RecordedRelay {
    let folder: TemporaryFolder
    let program: WeirProgram
    /// Says where the relay listens.
    let endpoint: Endpoint

    /// Says where the capture is.
    var path: String { folder.path + "/capture.pcapng" }

    init(_ route: String, _ options: [String] = [], threads: Int = 1, folder: TemporaryFolder? = nil) throws {
        self.folder = try folder ?? TemporaryFolder()
        let path = self.folder.path + "/capture.pcapng"
        let words = ["relay", "--show", "none", "--record", path, "--threads", "\(threads)", "--grace", "30s"]
        program = try WeirProgram(words + options + [route], seconds: 60)
        endpoint = try program.listening()[0]
    }

    /// Ends the relay, and reads its capture.
    ///
    /// Every reader reads it, no checksum is wrong, times only grow, and nothing is worth a warning but what is told.
    func finish(warning of: Set<String> = [], sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> SeenCapture
    {
        let ended = try await program.stop()
        #expect(ended.status == 0, sourceLocation: sourceLocation)
        #expect(ended.errors.contains("recorded \(path)\n"), "\(ended.errors)", sourceLocation: sourceLocation)
        let capture = try SeenCapture(try TemporaryFolder.read(path))
        #expect(capture.error == nil, sourceLocation: sourceLocation)
        #expect(capture.packets.allSatisfy { $0.hasValidChecksums }, sourceLocation: sourceLocation)
        #expect(capture.statistics.allSatisfy { $0.droppedByInterface == 0 }, sourceLocation: sourceLocation)
        let complaints = try Tshark.complaints(path)
        #expect(Set(complaints.keys) == of, "\(complaints)", sourceLocation: sourceLocation)
        #expect(try Tshark.isInTimeOrder(path), sourceLocation: sourceLocation)
        #expect(try Tshark.tcpdumpCount(path) == capture.packets.count, sourceLocation: sourceLocation)
        return capture
    }

    /// Expects both legs of a flow to hold exactly these bytes, as tshark puts them together.
    func expectStreams(
        _ transport: String = "tcp",
        from first: Int = 0,
        up: [UInt8],
        down: [UInt8],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for number in first..<(first + 2) {
            let ends = try Tshark.follow(path, transport, number)
            #expect(ends[0].bytes == up && ends[1].bytes == down, sourceLocation: sourceLocation)
        }
    }

    /// Expects that every packet of TCP belongs to a connection that tshark saw from its first packet to its end.
    func expectComplete(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let values = try Tshark.fields(path, ["tcp.completeness"], where: "tcp")
        #expect(Set(values) == [["31"]], "\(Set(values))", sourceLocation: sourceLocation)
    }
}
