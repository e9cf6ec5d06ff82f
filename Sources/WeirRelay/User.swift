import CWeir
import Glibc
import WeirFlow

/// Is a user of this machine, whose rights this process can take on.
package struct User: Hashable, Sendable {
    /// Names the user.
    package let name: String
    let id: UInt32
    let group: UInt32

    /// Finds a user.
    ///
    /// - Returns: nil where there is none of that name.
    package init?(named name: String) {
        guard let entry = getpwnam(name) else { return nil }
        self.name = name
        id = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// Gives up every right of this process that the user has not, for good.
    ///
    /// - Throws: `SystemError`; then this process must not go on.
    package func become() throws(SystemError) {
        let attempt = "become the user '\(name)'"
        let advice = "only root can"
        guard initgroups(name, group) == 0, setgid(group) == 0, setuid(id) == 0 else {
            throw SystemError(attempt, .current, advice: advice)
        }
        // What was given up must be gone: a program that is wrong about that is worse than one that ends.
        guard id == 0 || setuid(0) != 0 else { throw SystemError(attempt, ErrorNumber(EPERM)) }
        let status = weir_forbid_privileges()
        guard status >= 0 else { throw SystemError(attempt, ErrorNumber(-status)) }
    }
}
