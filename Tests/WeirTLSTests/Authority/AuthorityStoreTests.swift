import Glibc
import Synchronization
import Testing
import WeirTLS

@Suite("The folder of the authority")
struct AuthorityStoreTests {
    private let scratch: ScratchFolder
    private let store: AuthorityStore

    init() throws {
        scratch = try ScratchFolder()
        store = AuthorityStore(folder: scratch.path + "/deep/weir/tls")
    }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("The folder is the one of the user's data")
    func places() throws {
        func folder(_ variables: [String: String]) throws -> String { try AuthorityStore { variables[$0] }.folder }
        #expect(try folder(["XDG_DATA_HOME": "/data", "HOME": "/home/a"]) == "/data/weir/tls")
        #expect(try folder(["HOME": "/home/a"]) == "/home/a/.local/share/weir/tls")
        // A relative path is ignored.
        #expect(try folder(["XDG_DATA_HOME": "data", "HOME": "/home/a"]) == "/home/a/.local/share/weir/tls")
        #expect(throws: TLSSetupError.self) { try folder(["XDG_DATA_HOME": "", "HOME": "a"]) }
    }

    @Test("The authority is made once, with modes that keep its key from others, and read after that")
    func modes() throws {
        let mask = umask(0o077)
        defer { umask(mask) }
        #expect(try store.load() == nil)
        let (made, isNew) = try store.loadOrMake(host: "h", at: 1_800_000_000)
        let (read, isNewAgain) = try store.loadOrMake(host: "h", at: 1_800_000_000)
        #expect(isNew && !isNewAgain && made.certificate.certificate.der == read.certificate.certificate.der)
        #expect(Self.mode(store.folder) == 0o700 && Self.mode(store.keyPath) == 0o600)
        #expect(Self.mode(store.certificatePath) == 0o644)
        #expect(try store.save(made) == false)
        #expect(try store.remove() && store.load() == nil && !store.remove())
    }

    @Test("Of several that make it at once, one does, and all have the same")
    func atOnce() async throws {
        let made = try await withThrowingTaskGroup(of: ([UInt8], Bool).self) { group in
            for _ in 0..<8 {
                group.addTask { [store] in
                    let (authority, isNew) = try store.loadOrMake(host: "h", at: 1_800_000_000)
                    return (authority.certificate.certificate.der, isNew)
                }
            }
            var all: [([UInt8], Bool)] = []
            for try await one in group { all.append(one) }
            return all
        }
        #expect(Set(made.map(\.0)).count == 1 && made.count { $0.1 } == 1)
    }

    @Test("A key that others may read, half an authority and damage are refused with the way out")
    func faults() throws {
        _ = try store.loadOrMake(host: "h", at: 1_800_000_000)
        chmod(store.keyPath, 0o640)
        let rights = "other users have rights to the key '\(store.keyPath)'; run: chmod 600 '\(store.keyPath)'"
        #expect(throws: TLSSetupError(rights)) { try store.load() }
        chmod(store.keyPath, 0o600)
        rename(store.certificatePath, store.certificatePath + ".away")
        let half =
            "there is '\(store.keyPath)', but no '\(store.certificatePath)'; remove the first, or bring the second back"
        #expect(throws: TLSSetupError(half)) { try store.load() }
        rename(store.certificatePath + ".away", store.certificatePath)
        rename(store.keyPath, store.keyPath + ".away")
        #expect(throws: TLSSetupError.self) { try store.load() }
        rename(store.keyPath + ".away", store.keyPath)
        truncate(store.certificatePath, 100)
        #expect(throws: TLSSetupError("'\(store.folder)' has no certificate in PEM")) { try store.load() }
        let file = AuthorityStore(folder: store.keyPath + "/tls")
        #expect(throws: TLSSetupError.self) { try file.loadOrMake(host: "h", at: 1) }
    }

    @Test("Bundles are shared by what they hold, kept for a month after their last use, and removed with the authority")
    func bundles() throws {
        _ = try store.loadOrMake(host: "h", at: 1_800_000_000)
        let now = time(nil)
        let one = try store.bundle(Array("one".utf8), at: now)
        let other = try store.bundle(Array("other".utf8), at: now)
        #expect(one != other && one.hasPrefix(store.folder + "/bundle-") && Self.mode(one) == 0o644)
        #expect(try store.bundle(Array("one".utf8), at: now) == one)
        func age(_ path: String, days: Int) {
            let times = [timespec](repeating: timespec(tv_sec: now - days * 86_400, tv_nsec: 0), count: 2)
            utimensat(AT_FDCWD, path, times, 0)
        }
        age(one, days: 29)
        age(other, days: 31)
        // Its use makes the first one young again; the second one goes.
        #expect(try store.bundle(Array("one".utf8), at: now) == one)
        #expect(access(other, F_OK) != 0)
        #expect(try store.bundle(Array("new".utf8), at: now + 20 * 86_400) != one)
        #expect(access(one, F_OK) == 0)
        #expect(try store.remove())
        #expect(access(one, F_OK) != 0)
    }
}
