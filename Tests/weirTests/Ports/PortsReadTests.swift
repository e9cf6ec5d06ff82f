import Support
import Testing
import WeirAnalysis
import WeirWire

@testable import weir

@Suite("Reading ports")
struct PortsReadTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Makes a capture of the first segments of so many flows.
    private func capture(_ name: String, _ count: Int, from port: Int = 20_000) throws -> String {
        var capture = MadeCapture()
        for number in 0..<count { capture.tcp((port + number, 80), flags: 2, sequence: 1, at: number) }
        return try folder.file(name, capture.bytes)
    }

    private static func failure(_ read: consuming PortsRead) -> String {
        do throws(Failure) {
            try read.end()
            return "none"
        } catch {
            return "\(error.code.rawValue) \(error.message)"
        }
    }

    @Test("Every flow of a capture is read, whether it fits into the first piece or not", arguments: [0, 1, 2, 3000])
    func captures(count: Int) throws {
        var read = PortsRead()
        read.read(try capture("a", count))
        let (files, series) = (read.files, read.table.series)
        #expect(files == 1 && series.map(\.count) == (count == 0 ? [] : [count]))
        let failure = Self.failure(read)
        #expect(failure == "none")
    }

    @Test(
        "Files that cannot be read are no files that were read; the code is that of the first, the reason of the last"
    )
    func failures() throws {
        let (missing, bad) = (folder.path + "/none", try folder.file("bad", Array("nonsense".utf8)))
        let other = try folder.file("other", Array("{\"name\":\"other\"}\n".utf8))
        var read = PortsRead()
        let before = read.files
        for file in [missing, bad, other] { read.read(file) }
        let none = read.files
        read.read(try capture("a", 2))
        read.read(try capture("b", 3, from: 30_000))
        let (some, series) = (read.files, read.table.series)
        #expect([before, none, some] == [0, 0, 2] && series.map(\.count) == [5])
        var failure = Self.failure(read)
        #expect(failure == "66 '\(other)': no line is a record of a relay's --log")
        var others = PortsRead()
        for file in [bad, missing] { others.read(file) }
        failure = Self.failure(others)
        #expect(failure == "65 cannot open '\(missing)': no such file or folder (ENOENT)")
    }
}
