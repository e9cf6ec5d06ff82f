import Glibc
import Support
import Testing
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Certificates for clients, and the key log")
struct TLSServicesTests {
    private static let day = 86_400
    private let folder: TemporaryFolder
    private let services: TLSServices

    init() throws {
        folder = try TemporaryFolder()
        var settings = TLSServices.Settings()
        settings.authorityFolder = folder.path + "/ca"
        services = try TLSServices(settings, host: "test") { _ in nil }
    }

    @Test("A certificate is kept for half of its 30 days, and then made anew")
    func renewal() throws {
        let names: [AlternativeName] = [.host("a")]
        let before = Int(SystemClock.now().wallNanoseconds / 1_000_000_000)
        let first = try #require(try services.leaf(for: names, takesECDSA: true))
        #expect(try services.leaf(for: names, takesECDSA: true)?.certificate === first.certificate)
        #expect(first.certificate.validity.upperBound - before - 30 * Self.day < 60)
        #expect(try services.leaf(for: [.host("b")], takesECDSA: true)?.certificate !== first.certificate)
        let slot = LeafKey(names: names, isRSA: false)
        let half = before + 15 * Self.day
        services.leaves.withLock { leaves in
            #expect(leaves.find(slot, at: half - 1)?.certificate === first.certificate)
            #expect(leaves.find(slot, at: half + 60) == nil)
            #expect(leaves.find(LeafKey(names: names, isRSA: true), at: before) == nil)
        }
    }

    @Test("A flood of names forgets the certificates that were not used for longest")
    func flood() {
        func slot(_ number: Int) -> LeafKey { LeafKey(names: [.host("n\(number)")], isRSA: false) }
        var cache = LeafCache<Int>()
        for number in 0..<1000 { cache.keep(number, slot(number), until: 100) }
        #expect(cache.find(slot(0), at: 99) == 0)
        for number in 1000..<1200 {
            cache.keep(number, slot(number), until: 100)
            #expect(cache.find(slot(0), at: 99) == 0 && cache.count == 1000)
        }
        #expect(cache.find(slot(1), at: 99) == nil && cache.find(slot(200), at: 99) == nil)
        #expect(cache.find(slot(201), at: 99) == 201 && cache.find(slot(1199), at: 99) == 1199)
    }

    @Test("The key log is for this user alone, and its lines stay whole, however many write at once")
    func keyLog() async throws {
        let path = folder.path + "/keys"
        let mask = umask(0)
        defer { umask(mask) }
        let log = try KeyLogFile(path)
        let lines = (0..<8).map { writer in
            (0..<300).map { "LABEL_\(writer) \($0) " + String(repeating: "\(writer)", count: 100 + $0) }
        }
        let threads = try lines.map { lines in
            try Background {
                for start in stride(from: 0, to: 300, by: 3) {
                    #expect(log.append(Array(lines[start..<start + 3])) == nil)
                }
            }
        }
        for thread in threads { try thread.value() }
        let written = String(decoding: try folder.read("keys"), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(written.count == 2400 && Set(written) == Set(lines.joined()))
        // Each writer's lines are in their order.
        for (writer, own) in lines.enumerated() { #expect(written.filter { $0.hasPrefix("LABEL_\(writer) ") } == own) }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        // What cannot be written is told.
        #expect(try KeyLogFile("/dev/full").append(["LABEL 1 2"]) == "No space left on device")
        chmod(path, 0o640)
        #expect(throws: TLSSetupError.self) { try KeyLogFile(path) }
    }
}
