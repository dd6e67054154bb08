"""Who may log in here, for administrators."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from django_app.staff.entry import is_local

if TYPE_CHECKING:
    Users = UserAdmin[User]
else:
    Users = UserAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserPage(Users, ModelAdmin):
    """Accounts of the platform are kept in line with it; whoever is given a password here becomes a local account."""

    list_display = ("username", "full_name", "log_in", "roles", "is_active", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="Logs in")
    def log_in(self, user: User) -> str:
        return "here, with a local password" if is_local(user) else "with the platform's account"

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        groups = [group.name for group in user.groups.all()]
        return ", ".join([*(["administrators"] if user.is_superuser else []), *groups]) or "none"


@admin.register(Group)
class GroupPage(GroupAdmin, ModelAdmin):
    pass
