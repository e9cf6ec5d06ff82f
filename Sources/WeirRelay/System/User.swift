import CWeir
import Glibc
import WeirEngine

/// A user of this machine, whose rights this process can take on.
package struct User: Hashable, Sendable {
    /// The user's name.
    package let name: String
    let id: UInt32
    let group: UInt32

    /// Finds a user.
    ///
    /// - Returns: nil if there is no user with that name.
    /// - Throws: `SystemError` if the system's list of users cannot be read.
    package init?(named name: String) throws(SystemError) {
        errno = 0
        guard let entry = getpwnam(name) else {
            // What means that there is no such user (getpwnam(3), "ERRORS").
            if [0, ENOENT, ESRCH, EBADF, EPERM].contains(errno) { return nil }
            throw SystemError("look up the user '\(name)'", .current)
        }
        self.name = name
        id = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// Gives up for good every right of this process that the user does not have.
    ///
    /// - Throws: `SystemError`; then this process must not continue.
    package func become() throws(SystemError) {
        let attempt = "become the user '\(name)'"
        let advice = "only root can"
        guard initgroups(name, group) == 0, setgid(group) == 0, setuid(id) == 0 else {
            throw SystemError(attempt, .current, advice: advice)
        }
        // Check that the rights are gone: a program that is wrong about that is worse than one that ends.
        guard id == 0 || setuid(0) != 0 else { throw SystemError(attempt, ErrorNumber(EPERM)) }
        let status = weir_forbid_privileges()
        guard status >= 0 else { throw SystemError(attempt, ErrorNumber(-status)) }
    }
}
