# Writes every key of the lab's domain beside the captures.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

export_keys() {
	rm -f "$CAPTURES/lab.keytab"
	samba-tool domain exportkeytab "$CAPTURES/lab.keytab" -s "$(dc_conf)" > /dev/null
	"$PYTHON" "$LAB/clients/export_keys.py" "$(dc_conf)" "$CAPTURES"
	cat > "$CAPTURES/lab.passwords.txt" <<-END
	$DOMAIN\\Administrator:$ADMIN_PW
	$DOMAIN\\alice:$ALICE_PW
	$DOMAIN\\Jörg:$JOERG_PW
	END
	cat > "$CAPTURES/wrong-passwords.txt" <<-END
	$DOMAIN\\Administrator:not-$ADMIN_PW
	$DOMAIN\\alice:not-$ALICE_PW
	$DOMAIN\\Jörg:not-$JOERG_PW
	END
	chmod 644 "$CAPTURES"/*.keytab "$CAPTURES"/lab.* "$CAPTURES"/wrong*
}
